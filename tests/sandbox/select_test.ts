import assert from "node:assert/strict";
import { type BackendFacts, selectBackend } from "../../src/sandbox/select.ts";
import { Failure } from "../../src/vocabulary/failure.ts";

const NOTHING: BackendFacts = {
  engineReachable: false,
  imageThere: false,
  image: "python:3.11-slim",
  bubblewrapWorks: false,
  gitClean: false,
};

Deno.test("selectBackend: auto takes the container when an engine has the image, whatever else works", () => {
  for (const gitClean of [true, false]) {
    for (const bubblewrapWorks of [true, false]) {
      const choice = selectBackend("auto", {
        engineReachable: true,
        imageThere: true,
        image: "python:3.11-slim",
        bubblewrapWorks,
        gitClean,
      });
      assert.ok(!(choice instanceof Failure));
      assert.equal(choice.backend, "container");
    }
  }
});

Deno.test("selectBackend: auto falls back to the host and says why", () => {
  const cases = [
    [{ ...NOTHING, bubblewrapWorks: true }, "copy", /no container engine answers/],
    [{ ...NOTHING, bubblewrapWorks: true, gitClean: true }, "git_worktree", /checkout is clean/],
    [{ ...NOTHING, bubblewrapWorks: true, engineReachable: true }, "copy", /image is not there/],
    [{ ...NOTHING, bubblewrapWorks: true, imageThere: true }, "copy", /no container engine/],
  ] as const;
  for (const [facts, backend, why] of cases) {
    const choice = selectBackend("auto", facts);
    assert.ok(!(choice instanceof Failure));
    assert.equal(choice.backend, backend);
    assert.match(choice.why, why);
  }
});

Deno.test("selectBackend: auto with nothing usable is a failure that lists what is missing", () => {
  const none = selectBackend("auto", { ...NOTHING, gitClean: true });
  assert.ok(none instanceof Failure);
  assert.deepEqual([none.kind, none.code], ["unavailable", "no_backend"]);
  assert.match(none.details.join("\n"), /DOCKER_HOST[\s\S]*bubblewrap/);
  const noImage = selectBackend("auto", { ...NOTHING, engineReachable: true });
  assert.ok(noImage instanceof Failure);
  assert.match(noImage.details.join("\n"), /image is not there/);
});

Deno.test("selectBackend: a backend asked for by name is never swapped for another", () => {
  for (const asked of ["container", "copy", "git_worktree"] as const) {
    for (
      const facts of [NOTHING, { ...NOTHING, engineReachable: true, imageThere: true, bubblewrapWorks: true }]
    ) {
      const choice = selectBackend(asked, facts);
      assert.ok(!(choice instanceof Failure));
      assert.equal(choice.backend, asked);
    }
  }
});
