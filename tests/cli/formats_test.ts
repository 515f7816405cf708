import assert from "node:assert/strict";
import { withProposed } from "./proposed.ts";

const PAGE = await Deno.readTextFile(new URL("../../docs/formats.md", import.meta.url));

/** Members that a cell or a group of rows names, by name, with whether they may be missing. */
type Members = ReadonlyMap<string, boolean>;

const rowsUnder = (heading: string): string[][] =>
  PAGE.split(new RegExp(`^#+ ${heading}$`, "m"))[1]!.split(/^#/m)[0]!.split("\n")
    .filter((line) => line.startsWith("|") && !/^\| (-|Format|Member)/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));

function membersOf(text: string): Members {
  const groups = [...text.matchAll(/\[([^\]]+)\]\(#[a-z-]+\)/g)].flatMap(([, name]) => [...group(name!)]);
  const named = [...text.matchAll(/`([a-z_0-9]+)(\??)`/g)]
    .map(([, name, mark]) => [name!, mark === "?"] as const);
  return new Map([...groups, ...named]);
}

/** What all rows of a table have in their first column; what a revision has besides a proposal in a list. */
function group(name: string): Members {
  const heading = name === "which file it is"
    ? "Which trust file"
    : `${name[0]!.toUpperCase()}${name.slice(1)}`;
  const own = rowsUnder(heading).flatMap(([member]) => [...membersOf(member!)]);
  return new Map([...(heading === "A revision" ? group("a proposal in a list") : []), ...own]);
}

const FORMATS = new Map(
  rowsUnder("What verbs print").map((
    [format, , members],
  ) => [format!.replaceAll("`", ""), membersOf(members!)]),
);

function compare(what: string, document: object, members: Members): void {
  const names = Object.keys(document).filter((name) => name !== "format");
  assert.deepEqual(
    names.filter((name) => !members.has(name)),
    [],
    `${what} has members the page does not name`,
  );
  const missing = [...members].filter(([name, optional]) => !optional && !names.includes(name));
  assert.deepEqual(missing, [], `${what} lacks members that the page names`);
}

Deno.test("docs/formats.md: what verbs of the store print has the members that the page names", async () => {
  await withProposed("policy: {approval: {required: never}}", async ({ cwd, json, propose }) => {
    await Deno.mkdir(`${cwd}/w/src`, { recursive: true });
    await Deno.writeTextFile(`${cwd}/w/src/a.py`, "one\n");
    const [{ evidence }] = [await propose(), await propose(), await propose({ proposal: 2, word: "three" })];
    const terms = ["--trust", "trust.yaml"], at = ["--workspace", "w"];
    const calls = [
      ...[
        "list",
        "versions a",
        "show a",
        "files a",
        "diff a@1 a@1",
        "fsck",
        "gc --dry-run",
        "create b --workspace w",
      ]
        .map((call) => ["artifact", ...call.split(" ")]),
      ["artifact", "prune", "a", "--keep", "1"],
      ...["list", "show P1", "diff P1", "check P1"].map((call) => ["proposal", ...call.split(" ")]),
      ["propose", "b", "--file", "src/a.py", "--old", "one", "--new", "two"],
      ["approval", "list"],
      ["approval", "list", "--forced"],
      ...["show", "request", "wait"].map((verb) => ["approval", verb, "P1", ...terms]),
      ["approval", "approve", "P1", "--evidence", evidence, "--key", "ann.pem", ...terms],
      ["apply", "P2", "--dry-run", ...at, ...terms],
      ["apply", "P2", ...at, ...terms],
      ["history", ...at],
      ["history", "show", "O1"],
      ["rollback", ...at],
      ["redo", ...at, ...terms],
      ["history", "prune"],
      ["resolve", "P2", ...at],
      ["proposal", "withdraw", "P3", "--reason", "over"],
      ["proposal", "withdraw", "P3", "--reason", "over"],
      ["events"],
      ["events", "--verify"],
      ["trust", "check", ...terms],
      ["trust", "init", "--trust", "other.yaml"],
      ["approval", "show", "P9"],
    ];
    const seen = new Set<string>();
    for (const call of calls) {
      const document = await json(...call);
      const what = `${call.join(" ")}: ${document.format}`;
      const members = FORMATS.get(String(document.format));
      assert.ok(members !== undefined, `${what} is not on the page`);
      seen.add(String(document.format));
      compare(what, document, members);
      const of = { proposals: "a proposal in a list", operations: "an operation" } as const;
      for (const [list, name] of Object.entries(of)) {
        for (const each of document[list] as object[] ?? []) {
          if (typeof each === "object") compare(`${what} ${list}[]`, each, group(name));
        }
      }
    }
    assert.ok(seen.size >= 27, [...seen].join(", "));
  });
});

Deno.test("docs/formats.md: every format that a verb of the store prints is on the page", async () => {
  const folder = new URL("../../src/cli/", import.meta.url);
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) =>
      /^(approval|apply|artifact|events|history|propos|resolve|review|revision|trust|undo|verb)/.test(name)
    );
  for (const name of files) {
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [, format] of text.matchAll(/format: ["`](veripatch-[a-z-]+\/v1)["`]/g)) {
      assert.ok(
        PAGE.includes(`\`${format}\``),
        `${name}: ${format}`,
      );
    }
  }
});
