import { VERSION } from "./src/version.ts";

// Answered before anything is loaded: scripts ask for it often.
if (Deno.args.length === 1 && (Deno.args[0] === "--version" || Deno.args[0] === "-V")) {
  console.log(`pp ${VERSION}`);
  Deno.exit(0);
}
const { run } = await import("./src/cli/program.ts");
Deno.exit(await run(Deno.args));
