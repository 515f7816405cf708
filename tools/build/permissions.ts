/**
 * What a built program may do, and why. Code from elsewhere (`--allow-import`) is not among it, and nothing is asked
 * for while it runs. Paths and hosts cannot be narrowed: workspaces, keys and bundles are wherever the user says, and
 * the engine's or provider's address comes from the environment. With a list of paths Deno also refuses /proc, by
 * which `pp` reads directories it holds open.
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
];

/** Memory stays flat while a large workspace streams through; see decision 8. */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=2";
