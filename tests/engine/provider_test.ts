import assert from "node:assert/strict";
import { completion, withServer } from "../propose/chat_server.ts";
import { withFolder } from "../cli/process.ts";
import { pp, withProject } from "./pp.ts";

/** Built at run time, so that no scanner takes it for a real one. */
const SECRET = ["sk", "veripatch", "fake", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"].join("-");
const TEN = Array.from({ length: 10 }, (_, i) => `line ${i}\n`).join("");
const FILES = {
  "check.sh":
    "! grep -qx 'line 4' value.txt && grep -qx right value.txt || { echo value.txt:5: not right; exit 1; }\n",
  "value.txt": TEN,
};
/** Right in its lines, wrong in its numbers. */
const WRONG_NUMBERS =
  "--- a/value.txt\n+++ b/value.txt\n@@ -70,3 +81,3 @@\n line 3\n-line 4\n+right\n line 5\n";

/** Every file below a folder with its bytes as text. */
async function texts(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (!isDirectory) found.set(path, new TextDecoder("latin1").decode(await Deno.readFile(path)));
    else for (const [inner, text] of await texts(path)) found.set(inner, text);
  }
  return found;
}

function assertHidden(files: ReadonlyMap<string, string>): void {
  assert.ok(files.size > 0);
  for (const [path, text] of files) {
    for (const form of [SECRET, btoa(SECRET).replace(/=+$/, "").slice(2, -2), encodeURIComponent(SECRET)]) {
      assert.ok(!text.includes(form), `${path} holds the secret`);
    }
  }
}

Deno.test("pp run --provider openai: garbage, then a fenced diff with wrong numbers, is proved on the second attempt", async () => {
  const answers = ["Sorry, I am not sure.", `Here it is:\n\`\`\`diff\n${WRONG_NUMBERS}\`\`\`\nGood luck!`];
  await withServer((_asked, number) => completion(answers[number - 1]), async (url, asked) => {
    await withProject(FILES, async (directory) => {
      const env = { PP_OPENAI_BASE_URL: url, PP_OPENAI_API_KEY: SECRET, PP_OPENAI_MODEL: "some-model" };
      const { code, stdout, stderr } = await pp(["run", "sh check.sh", "--provider", "openai", "--json"], {
        cwd: directory,
        env,
      });
      assert.equal(code, 0, stdout + stderr);
      const session = JSON.parse(stdout);
      assert.equal(session.attempts_used, 2);
      assert.equal(session.attempts[0].outcome, "refused");
      assert.match(await Deno.readTextFile(session.final_patch), /^@@ -2,7 \+2,7 @@$[^]*^-line 4\n\+right$/m);
      assert.equal(asked.length, 2);
      assert.equal(asked[0]!.path, "/v1/chat/completions");
      assert.equal(asked[0]!.headers.authorization, `Bearer ${SECRET}`);
      assert.equal(asked[0]!.body.model, "some-model");
      assert.match(JSON.stringify(asked[0]!.body.messages), /value\.txt/);
      assert.notDeepEqual(
        asked[1]!.body.messages,
        asked[0]!.body.messages,
        "the second is told of the first",
      );
      for (const { body } of asked) assert.ok(!JSON.stringify(body).includes(SECRET));
      assert.ok(!(stdout + stderr).includes(SECRET));
      assertHidden(await texts(session.proof_bundle));
    });
  });
});

Deno.test("pp run --provider command: a secret of the environment is in no request and in no bundle", async () => {
  const files = {
    "check.sh": `grep -qx right value.txt && exit 0
sh config.sh; echo "value.txt:5: not right"; echo "config.sh:2: $(cat config.sh)" >&2; exit 1\n`,
    "config.sh": `#!/bin/sh\nKEY=${SECRET}; echo "key is $KEY and $(printf %s $KEY | base64 -w0)"\n`,
    "value.txt": TEN,
  };
  await withFolder({ "fix.diff": WRONG_NUMBERS }, async (outside) => {
    await withProject(files, async (directory) => {
      const script = `cat > ${outside}/request.json; env > ${outside}/env.txt; cat ${outside}/fix.diff`;
      const env = { PP_OPENAI_API_KEY: SECRET, PP_COMMAND: JSON.stringify(["sh", "-c", script]) };
      const args = ["run", "sh check.sh", "--provider", "command"];
      const { code, stdout, stderr } = await pp(args, { cwd: directory, env });
      assert.equal(code, 0, stdout + stderr);
      assert.ok(!(stdout + stderr).includes(SECRET));
      const request = await Deno.readTextFile(`${outside}/request.json`);
      assert.match(request, /key is \[REDACTED:/, "the output is there, without the secret");
      assert.match(request, /KEY=\[REDACTED:/, "the source is there, without the secret");
      assertHidden(await texts(outside));
      const bundles = await texts(`${directory}/.pp-artifacts`);
      assertHidden(bundles);
      assert.ok([...bundles.values()].some((text) => text.includes("key is [REDACTED:")));
    });
  });
});
