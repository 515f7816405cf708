import assert from "node:assert/strict";
import { leftovers, NOTHING, TEST_IMAGE } from "../engine.ts";
import { withProject } from "../pp.ts";
import { withTerminal } from "../../cli/terminal.ts";

/** Slow enough that every phase is on the screen for a while. */
const FILES = {
  "check.sh": "sleep 0.4; ! grep -q wrong value.txt && grep -qx right value.txt\n",
  "value.txt": "wrong\n",
  "fix.diff": "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1,2 @@\n-wrong\n+right\n+more\n",
};
const RUN = ["run", "sh check.sh", "--patch", "fix.diff"];
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/u;
const ENDED = /EXIT:\d+/;
const COLOUR = "\x1b[";

Deno.test("pp run in a terminal: a live line with the phase, at the end the verdict in colour and no live line", async () => {
  await withProject(FILES, async (cwd) => {
    await withTerminal({ args: RUN, cwd, columns: 100 }, async (terminal) => {
      const live = new Set<string>();
      const last = await terminal.until(ENDED, (screen) => {
        const lines = screen.split("\n").filter((line) => line.match(SPINNER));
        assert.ok(lines.length <= 1, `one live line at a time:\n${screen}`);
        for (const line of lines) {
          live.add(line.replace(/ {2}[\d.]+ (s|min).*$/, "").replace(SPINNER, "").trim());
        }
      });
      assert.match(last, /EXIT:0/);
      assert.ok(live.has("base: command"), `it was seen running the base: ${[...live].join(" | ")}`);
      assert.ok(live.has("attempt 1: command"), [...live].join(" | "));
      assert.doesNotMatch(last, SPINNER);
      assert.match(last, /^result {3}proved: sh check\.sh$/m);
      assert.match(last, /^ {4}\+right$/m);
      const painted = await terminal.screen(true);
      assert.match(painted.split(COLOUR).join("<"), /<32m\+right/, "additions are green");
      assert.match(painted.split(COLOUR).join("<"), /<31m-wrong/, "deletions are red");
    });
  });
});

Deno.test("pp run in a terminal: with NO_COLOR=1 no colours, but the live line", async () => {
  await withProject(FILES, async (cwd) => {
    await withTerminal({ args: RUN, cwd, columns: 100, env: { NO_COLOR: "1" } }, async (terminal) => {
      await terminal.until(SPINNER);
      await terminal.until(ENDED);
      const painted = await terminal.screen(true);
      assert.match(painted, /proved: sh check\.sh/);
      assert.ok(!painted.includes(COLOUR));
    });
  }, { minimize: false });
});

Deno.test("pp run in a terminal: TERM=dumb gets plain lines and no live line", async () => {
  await withProject(FILES, async (cwd) => {
    await withTerminal({ args: RUN, cwd, columns: 100, env: { TERM: "dumb" } }, async (terminal) => {
      const last = await terminal.until(ENDED, (screen) => assert.doesNotMatch(screen, SPINNER));
      assert.match(last, /^baseline\n {9}red command, exit 1/m);
      assert.ok(!(await terminal.screen(true)).includes(COLOUR));
    });
  }, { minimize: false });
});

Deno.test("pp run in a terminal: Ctrl-C says that it cleans up, and exits 130 with nothing left", async () => {
  await withProject({ ...FILES, "check.sh": "sleep 60\n" }, async (cwd) => {
    await withTerminal({ args: RUN, cwd, columns: 100 }, async (terminal) => {
      const running = await terminal.until(/base: command/);
      const session = /^session\s+(\S+)/m.exec(running)![1]!;
      await terminal.keys("C-c");
      const last = await terminal.until(ENDED);
      assert.match(last, /SIGINT: stopping and cleaning up …/);
      assert.match(last, /EXIT:130/);
      assert.doesNotMatch(last, SPINNER);
      assert.deepEqual(await leftovers(session), NOTHING);
    });
  });
});

Deno.test("pp prove in a narrow terminal: a live line that would not fit is cut, never wrapped", async () => {
  const names = [
    "a target whose name is much longer than the window is wide",
    "対象の名前は全角文字で書かれていて窓よりもずっと長い",
  ];
  const policy = {
    proof_targets: names.map((name) => ({ name, cmd: "sh check.sh" })),
    policy: { minimize: false, sandbox: { backend: "container", container_image: TEST_IMAGE } },
  };
  await withProject({ ...FILES, "pp.json": JSON.stringify(policy) }, async (cwd) => {
    await withTerminal({ args: ["prove", "--patch", "fix.diff"], cwd, columns: 40 }, async (terminal) => {
      let cut = 0;
      const last = await terminal.until(ENDED, (screen) => {
        const live = screen.split(SPINNER).length - 1;
        assert.ok(live <= 1, `what was left of a wrapped live line:\n${screen}`);
        if (/base: (a target|対象)/.test(screen)) cut++;
      });
      assert.ok(cut > 0);
      assert.match(last, /EXIT:0/);
      assert.doesNotMatch(last, SPINNER);
      assert.match(last, /^result {3}proved: /m);
    });
  });
});
