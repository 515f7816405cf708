/**
 * A process of its own for bubblewrap_test.ts: opens a sandbox in `tmpRoot`, runs the rest of its arguments in it,
 * prints exit code and stdout, or the failure, as one JSON line and ends without a word when killed.
 */
import { bubblewrapSandbox } from "../../src/sandbox/bubblewrap/bubblewrap.ts";
import { probeBubblewrap } from "../../src/sandbox/bubblewrap/probe.ts";
import { tarOf } from "../contract/tar_of.ts";
import { SPEC } from "./bubblewrap_spec.ts";

const [tmpRoot, ...argv] = Deno.args;
const base = await bubblewrapSandbox({ kind: "copy", tmpRoot: tmpRoot! }).open(SPEC, tarOf([])).catch(
  async (error) => {
    const { kind, code, hint, details } = error;
    console.log(JSON.stringify({ kind, code, hint, details, probe: await probeBubblewrap() }));
    Deno.exit(1);
  },
);
const copy = await base.checkout([]);
console.log("ready");
const { exitCode, stdout } = await copy.exec(argv, { timeoutMs: 60_000, outputBytes: 10_000 });
console.log(JSON.stringify({ exitCode, stdout: new TextDecoder().decode(stdout.head) }));
await base.close();
