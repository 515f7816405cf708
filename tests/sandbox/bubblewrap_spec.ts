import type { SandboxSpec } from "../../src/sandbox/sandbox.ts";

/** What the bubblewrap tests ask for. */
export const SPEC: SandboxSpec = {
  session: "bubblewrap-session",
  image: "none",
  workdir: "/workspace",
  user: "1000:1000",
  runtime: null,
  network: "deny",
  limits: { cpus: null, memoryBytes: null, pids: null, fileBytes: 64 * 1024 * 1024, diskBytes: null },
  deadline: Date.now() + 600_000,
  parallel: 2,
  pull: false,
  keep: false,
};
