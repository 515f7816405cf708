/** What code can do that a reviewer wants to know of, in the order reports have them. */
export const CAPABILITIES = [
  "exec",
  "dynamic_code",
  "deserialize",
  "network",
  "file_read",
  "file_write",
  "env",
  "secrets",
  "unsafe_native",
  "reflection",
  "install_hook",
  "tls_off",
  "obfuscation",
] as const;

export type Capability = typeof CAPABILITIES[number];

/** One sentence for people about each. */
export const ABOUT: Readonly<Record<Capability, string>> = {
  exec: "runs other programs",
  dynamic_code: "runs code that is made or loaded while it runs",
  deserialize: "reads formats that can carry code",
  network: "talks to a network",
  file_read: "reads files",
  file_write: "writes, moves or removes files",
  env: "reads or changes environment variables",
  secrets: "reaches for credentials",
  unsafe_native: "leaves what the language protects",
  reflection: "calls what only its run decides",
  install_hook: "runs when somebody installs or builds it",
  tls_off: "does not check whom it talks to",
  obfuscation: "hides from its reader",
};
