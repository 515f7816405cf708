import assert from "node:assert/strict";
import { pp, withFolder } from "./process.ts";

const PAGE = await Deno.readTextFile(new URL("../../docs/formats.md", import.meta.url));
const FIX = "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-wrong\n+right\n";
const POLICY =
  "proof_targets: [{name: right, cmd: grep -q right a.txt}]\npolicy: {sandbox: {backend: copy}}\n";

/** Members of each format as the page has them; true: it may be missing. */
const FORMATS = new Map(
  PAGE.split("### What the other verbs print\n")[1]!.split(/^#/m)[0]!.split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => {
      const [format, , members] = line.split("|").slice(1).map((cell) => cell.trim());
      const named = [...members!.matchAll(/`([a-z_0-9]+)(\??)`/g)].map(([, name, mark]) =>
        [name!, mark === "?"] as const
      );
      return [format!.replaceAll("`", ""), new Map(named)] as const;
    }),
);

Deno.test("docs/formats.md: what the verbs of a proof, and all others, print has the members that the page names", async () => {
  await withFolder({ "w/a.txt": "one\nwrong\n", "w/pp.yaml": POLICY, "fix.diff": FIX }, async (folder) => {
    const cwd = `${folder}/w`;
    const seen = new Set<string>();
    // deno-lint-ignore no-explicit-any -- what is printed is compared with the page
    const json = async (...call: string[]): Promise<any> => {
      const { stdout, stderr } = await pp([...call, "--json"], { cwd });
      const document = JSON.parse(stdout || "null") as Record<string, unknown> | null;
      assert.ok(document !== null, `${call.join(" ")}: ${stderr}`);
      const format = String(document.format), members = FORMATS.get(format);
      assert.ok(members !== undefined, `${call.join(" ")}: ${format} is not on the page`);
      seen.add(format);
      const names = Object.keys(document).filter((name) => name !== "format");
      assert.deepEqual(
        names.filter((name) => !members.has(name)),
        [],
        `${format} has members the page does not name`,
      );
      const missing = [...members].filter(([name, optional]) => !optional && !names.includes(name));
      assert.deepEqual(missing, [], `${format} lacks members that the page names`);
      return document;
    };
    const { proof_bundle: bundle, status } = await json(
      "run",
      "grep -q right a.txt",
      "--patch",
      "../fix.diff",
    );
    assert.equal(status, "proved");
    assert.equal((await json("replay", bundle, "--check-minimal", "1")).verdict, "confirmed");
    await json("bundle", "show", bundle);
    await json("bundle", "diff", bundle, bundle);
    await json("bundle", "pack", bundle, "-o", "../b.ppb");
    await json("bundle", "unpack", "../b.ppb", "-o", "../unpacked");
    await json("report", bundle, "-o", "../page.html");
    await json("keygen", "-o", "../k");
    await json("key", "show", "../k.pub.pem");
    await json("attest", bundle, "--key", "../k.key.pem");
    await json("doctor");
    await json("init", "--print");
    await json("policy", "check");
    await json("policy", "show");
    await json("policy", "presets");
    await json("policy", "presets", "go");
    await json("policy", "protected");
    await json("policy", "protected", "a.txt");
    await json("safety", "scan");
    await json("safety", "diff", "--patch", "../fix.diff");
    await json("safety", "scan", "-o", "../scan.sarif");
    await json("template", "list");
    await json("template", "show", "add-field");
    await json("completions", "bash");
    await json("help", "run");
    await json("version");
    assert.deepEqual(
      [...FORMATS.keys()].filter((format) => !seen.has(format)),
      [],
      "on the page and never printed",
    );
  });
});

Deno.test("docs/formats.md: every format that a verb prints is on the page", async () => {
  const folder = new URL("../../src/cli/", import.meta.url);
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [, format] of text.matchAll(/["`](veripatch-[a-z-]+\/v1)["`]/g)) {
      assert.ok(PAGE.includes(`\`${format}\``), `${name}: ${format}`);
    }
  }
});
