import assert from "node:assert/strict";
import { leftovers, NOTHING } from "./engine.ts";
import { fingerprint, pp } from "./pp.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;

/** What is left of each example's buried fix: the changed lines, or the extended headers that are the fix. */
const MINIMAL: Readonly<Record<string, readonly string[]>> = {
  "deno-typescript": [
    "-  return { hours: match[1], minutes: Number(match[2]) };",
    "+  return { hours: Number(match[1]), minutes: Number(match[2]) };",
  ],
  "javascript-deletion": ["deleted file mode 100644", '-{ "retries": 0 }'],
  "javascript-one-line": ["-  return Math.floor(items / size);", "+  return Math.ceil(items / size);"],
  "python-new-file": [
    "new file mode 100644",
    "+import re",
    "+def slug(title):",
    '+    words = re.findall(r"[a-z0-9]+", title.lower())',
    '+    return "-".join(words)',
  ],
  "python-one-line": [
    "-    return ordered[middle]",
    "+    return (ordered[middle - 1] + ordered[middle]) / 2",
  ],
  "python-second-attempt": [
    '+    if half != "":',
    '+        hour = int(hour) % 12 + (12 if half == "pm" else 0)',
  ],
  "python-test-report": [
    "-    return int(whole) * 100 + int(rest or 0)",
    '+    return int(whole) * 100 + int(rest.ljust(2, "0"))',
  ],
  "python-two-files": [
    "-    return amount + tax(amount)",
    "+    return amount + tax(amount, rate)",
    // 1-minimal is about the change, not the result: the second definition wins, so the first may stay.
    "+def tax(amount, rate=RATE):",
    "+    return round(amount * rate)",
  ],
  "shell-crlf": ["-bread,30\r", "+bread,310\r"],
  "shell-executable": ["old mode 100644", "new mode 100755"],
  "shell-quoting": [
    "-for file in $from/*; do",
    '-  cp $file "$to/"',
    '+for file in "$from"/*; do',
    '+  cp -- "$file" "$to/"',
  ],
};

const SECOND_IS_RIGHT = ["python-second-attempt", "python-test-report"];

interface Proved {
  readonly session: string;
  readonly status: string;
  readonly attempts_used: number;
  readonly proof_bundle: string;
  readonly minimization: { readonly end: string; readonly used: boolean };
}

Deno.test("examples: each folder is proved below, and nothing else is expected", async () => {
  const folders = await Array.fromAsync(Deno.readDir(EXAMPLES));
  // examples/ci holds no target: it is run by the gate's tests.
  const names = folders.filter((entry) => entry.isDirectory && entry.name !== "ci").map((entry) => entry.name)
    .sort();
  assert.deepEqual(names, Object.keys(MINIMAL).sort());
});

for (const [name, minimal] of Object.entries(MINIMAL)) {
  Deno.test(`pp prove: ${name} is proved, minimal, replayed and leaves nothing`, async () => {
    const workspace = `${EXAMPLES}${name}/workspace`;
    const artifacts = await Deno.makeTempDir({ prefix: "veripatch-test-" });
    const before = await fingerprint(workspace);
    try {
      const proposer = [
        Deno.execPath(),
        "run",
        "--quiet",
        "--no-config",
        "--allow-read",
        `${EXAMPLES}scripted_proposer.ts`,
      ];
      const env = { PP_COMMAND: JSON.stringify([...proposer, `${EXAMPLES}${name}/proposals`]) };
      const result = await pp(["prove", "--provider", "command", "--artifacts", artifacts, "--json"], {
        cwd: workspace,
        env,
      });
      assert.equal(result.code, 0, result.stdout + result.stderr);
      const proved = JSON.parse(result.stdout) as Proved;
      assert.equal(proved.status, "proved");
      assert.equal(proved.attempts_used, SECOND_IS_RIGHT.includes(name) ? 2 : 1);
      assert.deepEqual(proved.minimization, { ...proved.minimization, end: "one_minimal", used: true });

      const patch = await Deno.readTextFile(`${proved.proof_bundle}/final.patch`);
      const changed = patch.split("\n").filter((line) =>
        /^([-+](?![-+]{2} )|old mode|new mode|new file|deleted file)/.test(line)
      );
      assert.deepEqual(changed, minimal);
      const check = await new Deno.Command("git", {
        args: ["apply", "--check", `${proved.proof_bundle}/final.patch`],
        cwd: workspace,
        env: { GIT_DIR: "/nonexistent" },
      }).output();
      assert.ok(check.success, new TextDecoder().decode(check.stderr));

      assert.equal(await fingerprint(workspace), before, "the workspace is byte-identical");
      assert.deepEqual(await leftovers(proved.session), NOTHING);

      const replayed = await pp(["replay", proved.proof_bundle, "--json"], { cwd: workspace });
      assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
      assert.equal(JSON.parse(replayed.stdout).verdict, "confirmed");
    } finally {
      await Deno.remove(artifacts, { recursive: true });
    }
  });
}
