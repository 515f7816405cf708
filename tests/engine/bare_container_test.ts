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

Deno.test("the portable file: in a bare Debian container without Deno, node, git and network it does the main job, with all that is embedded", async () => {
  await ensureBareImage({ host: `unix://${SOCKET}` });
  const folder = await portableFolder();
  await withExample(async (example) => {
    // CI runs the same in a container of its own.
    const script = `${ROOT}/.github/bare_container.sh:/bare_container.sh:ro`;
    const binds = [`${folder}:/opt/pp:ro`, `${example}:/example`, script];
    const env = ["PATH=/opt/pp:/usr/bin:/bin", "HOME=/nonexistent", `IMAGE=${TEST_IMAGE}`];
    const { code, stdout, stderr } = await inContainer(BARE_IMAGE, ["sh", "/bare_container.sh"], {
      binds,
      env,
    });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /everything done/);
    assert.match(stdout, /confirmed/);
    assert.match(stderr + stdout, /valid/);
    assert.match(stdout, /P1\.1 +proposed/);
    assert.match(stdout, /syntax +passed/);
  });
});
