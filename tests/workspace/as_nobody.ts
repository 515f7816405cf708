import process from "node:process";
import { Failure } from "../../src/vocabulary/failure.ts";
import { recoverExchange } from "../../src/workspace/apply_recovery.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";

/** Child of the permission tests: gives up root, then does what it is told and prints how it went. */
const [root = "", input = ""] = Deno.args;
const what = JSON.parse(input);
if (Deno.uid() === 0) {
  process.setgid!(65534);
  process.setuid!(65534);
}
let failure: unknown = null;
try {
  if (what.recover !== undefined) {
    const { outcome, stuck } = recoverExchange(root, what.recover, () => new Uint8Array());
    const details = stuck.map(({ path, reason }) => `${path}: ${reason}`);
    throw new Failure("unavailable", outcome, outcome, { details });
  }
  const workspace = await directoryWorkspace(root);
  if (what === "tar") await Array.fromAsync(workspace.tar({ uid: 1, gid: 1, prefix: "" }));
  else {
    await workspace.apply(
      what.map((change: { bytes?: number[] }) => ({
        ...change,
        ...(change.bytes ? { bytes: new Uint8Array(change.bytes) } : {}),
      })),
    );
  }
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  const { kind, code, details, message } = error;
  failure = { kind, code, details, message };
}
console.log(JSON.stringify({ uid: Deno.uid(), failure }));
