import { VERSION } from "./src/version.ts";

// Answered before anything is loaded: scripts ask for it often.
if (Deno.args.length === 1 && (Deno.args[0] === "--version" || Deno.args[0] === "-V")) {
  console.log(`pp ${VERSION}`);
  Deno.exit(0);
}
// With lazy-dynamic-imports (deno.json) Deno reads a module when it is asked for, not before the first line.
if (Deno.args[0] === "verify-attestation") {
  const { quickVerifyAttestation } = await import("./src/cli/verify_attestation_quick.ts");
  const exit = await quickVerifyAttestation(Deno.args.slice(1));
  if (exit !== null) Deno.exit(exit);
}
const { run } = await import("./src/cli/program.ts");
Deno.exit(await run(Deno.args));
