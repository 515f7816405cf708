import assert from "node:assert/strict";
import { BARE_IMAGE, ensureBareImage } from "../../tools/image.ts";
import { ROOT } from "../../tools/pp.ts";
import { portableFolder } from "../build/portable.ts";
import { inContainer, SOCKET } from "./container.ts";
import { TEST_IMAGE } from "./engine.ts";

/** A writable copy of an example for whoever runs in the container. */
async function withExample(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    for (const part of ["workspace", "proposals"]) {
      const copy = new Deno.Command("cp", {
        args: ["-R", `${ROOT}/examples/python-one-line/${part}`, folder],
      });
      assert.ok((await copy.output()).success);
    }
    const open = new Deno.Command("chmod", { args: ["-R", "a+rwX", folder] });
    assert.ok((await open.output()).success);
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The main job: a key, a proof signed with it, the verifier's trust, verifying, replaying, packing. */
const JOB = `
set -eu
for name in deno node npm git python3; do ! command -v $name >/dev/null || { echo "there is $name"; exit 1; }; done
test ! -w /opt/pp && test ! -w /opt
cp -R /example/workspace /tmp/base
mkdir /tmp/keys && cd /tmp/keys
pp keygen -o ci >/dev/null
pp trust init >/dev/null
pp trust add ci ci.pub.pem --role prover >/dev/null
cd /example/workspace
pp run "pytest -q" --patch ../proposals/1.patch --image ${TEST_IMAGE} --sign /tmp/keys/ci.key.pem --json >/tmp/run.json
bundle=$(sed -n 's/.*"proof_bundle": *"\\([^"]*\\)".*/\\1/p' /tmp/run.json)
grep -q '"status": *"proved"' /tmp/run.json
pp verify-attestation "$bundle" --trust /tmp/keys/trust.yaml --max-age 1d
pp replay "$bundle" --key /tmp/keys/ci.pub.pem --cwd /tmp/base
pp bundle pack "$bundle" -o /tmp/proof.ppb >/dev/null
pp verify-attestation /tmp/proof.ppb --key /tmp/keys/ci.pub.pem >/dev/null
pp safety diff --patch "$bundle/final.patch" >/dev/null
echo "everything done"
`;

Deno.test("the portable file: in a bare Debian container without Deno, node, git and network it does the main job", async () => {
  await ensureBareImage({ host: `unix://${SOCKET}` });
  const folder = await portableFolder();
  await withExample(async (example) => {
    const binds = [`${folder}:/opt/pp:ro`, `${example}:/example`];
    const env = ["PATH=/opt/pp:/usr/bin:/bin", "HOME=/nonexistent"];
    const { code, stdout, stderr } = await inContainer(BARE_IMAGE, ["sh", "-c", JOB], { binds, env });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /everything done/);
    assert.match(stdout, /confirmed/);
    assert.match(stderr + stdout, /valid/);
  });
});
