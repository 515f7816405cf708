import assert from "node:assert/strict";
import { Command } from "commander";
import { type CommandShape, shapeOf } from "../../src/cli/tree/shape.ts";
import { registerVerbs } from "../../src/cli/verbs.ts";
import { verbRunner } from "../../src/cli/verb.ts";
import { ROOT } from "../../tools/pp.ts";

/** How the scripts that CI runs call pp. */
const CALL = /(?:^|[\s(|&;])(?:pp|"\.\/\$FILE"|[\w/]+\/pp-linux-x64|\$\{PP:-pp\}) ([a-z][^|;&)\n]*)/gm;

/** Files with calls that CI makes, and how many there are at least. */
const FILES: Readonly<Record<string, number>> = {
  ".github/bare_container.sh": 15,
  ".github/release_proof.sh": 2,
  ".github/workflows/release.yml": 3,
  "examples/ci/gate.sh": 1,
  "examples/ci/publish_proof.sh": 1,
};

function program(): CommandShape {
  const program = new Command("pp");
  registerVerbs(program, verbRunner({ exit: 0 }), []);
  return shapeOf(program);
}

/** What is wrong with the words after `pp`; null when its help has all of them. */
function wrongIn(call: string, root: CommandShape): string | null {
  const words = call.replaceAll(/"[^"]*"|'[^']*'|[<>]\S+/g, "X").trim().split(/\s+/);
  let at = root;
  for (const word of words) {
    const next = at.commands.find(({ name }) => name === word);
    if (next === undefined) break;
    at = next;
  }
  if (at === root) return `${words[0]} is no verb`;
  if (at.commands.length > 0 && at.arguments.length === 0) return `${at.path.join(" ")} needs a verb`;
  for (const word of words.filter((word) => word.startsWith("-"))) {
    const name = word.replace(/=.*$/, "");
    if (!at.flags.some(({ long, short }) => long === name || short === name)) {
      return `${at.path.join(" ")} has no ${name}`;
    }
  }
  return null;
}

Deno.test("scripts of CI: every call of pp has a verb and flags that are there", async () => {
  const root = program();
  assert.match(wrongIn("prov --patch x", root)!, /no verb/);
  assert.match(wrongIn("run X --no-such-flag", root)!, /has no --no-such-flag/);
  assert.match(wrongIn("trust X", root)!, /needs a verb/);
  for (const [file, least] of Object.entries(FILES)) {
    const text = (await Deno.readTextFile(`${ROOT}/${file}`)).replaceAll("\\\n", " ");
    const calls = [...text.replaceAll(/^\s*#.*$/gm, "").matchAll(CALL)].map(([, call]) => call!);
    assert.ok(calls.length >= least, `${file}: ${calls.join("\n")}`);
    for (const call of calls) assert.equal(wrongIn(call, root), null, `${file}: pp ${call}`);
  }
});
