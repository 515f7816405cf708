import { VERSION } from "./src/version.ts";

// Answered before anything is loaded: scripts ask for it often.
if (Deno.args.length === 1 && (Deno.args[0] === "--version" || Deno.args[0] === "-V")) {
  console.log(`pp ${VERSION}`);
  Deno.exit(0);
}
// Deno reads every module that is imported by a literal before it runs the first line, needed or not: 20 ms and more.
// A name keeps it from that; whoever compiles or caches this program names both files.
const QUICK = "./src/cli/verify_attestation_quick.ts";
const PROGRAM = "./src/cli/program.ts";
if (Deno.args[0] === "verify-attestation") {
  const { quickVerifyAttestation } = await import(QUICK);
  const exit: number | null = await quickVerifyAttestation(Deno.args.slice(1));
  if (exit !== null) Deno.exit(exit);
}
const { run } = await import(PROGRAM);
Deno.exit(await run(Deno.args));
