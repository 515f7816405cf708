/**
 * What a built program may do, and why. It is everything Deno has a permission for: each is needed, none can be
 * narrowed, and only to a program that has them all does Deno open /proc, by which `pp` knows whether the owner of
 * something left behind still runs and reads directories that it holds open. Paths and hosts cannot be listed:
 * workspaces, keys and bundles are wherever the user says, and the address of an engine or provider comes from the
 * environment. Nothing is asked for while it runs.
 */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  // Workspaces, policies, bundles, keys.
  "--allow-read",
  // Bundles, stores, copies that host backends run in.
  "--allow-write",
  // The engine's socket or address, a provider's address.
  "--allow-net",
  // PP_*, DOCKER_*, and what is handed on to programs.
  "--allow-env",
  // git, bwrap, a command proposer.
  "--allow-run",
  // User, host name, processors.
  "--allow-sys",
  // syncfs and statx of the system's C library; by a path Deno would look for it in the working directory.
  "--allow-ffi",
  // For /proc alone: `--no-remote` and `--no-npm` keep code from elsewhere out all the same.
  "--allow-import",
];

/** Memory stays flat while a large workspace streams through; see decision 8. */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=2";
