import assert from "node:assert/strict";
import { fingerprint, pp, withProject } from "./pp.ts";

/** Passes when value.txt says right. */
const FILES = { "check.sh": "grep -q right value.txt\n", "value.txt": "wrong\n", "kept/secret.txt": "k\n" };
const RIGHT = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1 @@\n-wrong\n+right\n";
const created = (path: string, mode = "100644") =>
  `diff --git a/${path} b/${path}\nnew file mode ${mode}\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;

interface Refused {
  readonly patch: string;
  readonly reason: string;
  readonly policy?: Record<string, unknown>;
}

/** Proposal and policy, and the reason it must be refused for. */
const REFUSED: Readonly<Record<string, Refused>> = {
  "garbage": { patch: "I am sorry, I cannot do that.\n", reason: "garbage" },
  "a path above the workspace": { patch: created("../outside.txt"), reason: "path_escapes" },
  "an absolute path": {
    patch: created("x").replaceAll("a/x", "/etc/cron.d/x").replaceAll("b/x", "/etc/cron.d/x"),
    reason: "path_absolute",
  },
  "a path through a link": { patch: created("link/x.txt"), reason: "path_through_link" },
  "a write to .git": { patch: created(".git/hooks/pre-commit"), reason: "path_git_directory" },
  "a write to .GIT": { patch: created(".GIT/config"), reason: "path_git_directory" },
  "a write to the artifacts": {
    patch: created(".pp-artifacts/x"),
    reason: "path_artifacts_directory",
  },
  "a denied path": {
    patch: created("kept/new.txt"),
    reason: "path_denied",
    policy: { deny_write: ["kept/**"] },
  },
  "a path that is not allowed": {
    patch: created("other/new.txt"),
    reason: "path_not_allowlisted",
    policy: { write_allowlist: ["*.txt"] },
  },
  "too many files": {
    patch: [1, 2, 3].map((n) => created(`f${n}.txt`)).join(""),
    reason: "too_many_files",
    policy: { limits: { max_files_changed: 2 } },
  },
  "too many bytes": {
    patch: RIGHT.replace("+right", `+right ${"x".repeat(2000)}`),
    reason: "patch_too_large",
    policy: { limits: { max_patch_bytes: 1000 } },
  },
  "a submodule": {
    patch:
      `diff --git a/sub b/sub\nnew file mode 160000\nindex 0000000..1234567\n--- /dev/null\n+++ b/sub\n` +
      `@@ -0,0 +1 @@\n+Subproject commit 1234567812345678123456781234567812345678\n`,
    reason: "submodule",
  },
  "a link": { patch: created("new-link", "120000"), reason: "device_or_link_mode" },
  "a character device": { patch: created("null", "020666"), reason: "device_or_link_mode" },
  "a pipe": { patch: created("pipe", "010644"), reason: "device_or_link_mode" },
  "a setuid mode": { patch: created("tool", "104755"), reason: "device_or_link_mode" },
  "a binary patch": {
    patch: "diff --git a/x.bin b/x.bin\nnew file mode 100644\nindex 0000000..1234567\nGIT binary patch\n" +
      "literal 3\nKcmZQzU|?lnU@*n#00IC2\n\nliteral 0\nHcmV?d00001\n\n",
    reason: "binary_patch",
  },
  "a deletion of what is not there": {
    patch:
      "diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
    reason: "file_missing",
  },
};

interface Session {
  readonly status: string;
  readonly attempts: readonly { readonly refusals: readonly { readonly reason: string }[] }[];
}

const named = Object.entries(REFUSED);
const together = named.filter(([, { policy }]) => policy === undefined);

Deno.test(`pp run: ${together.map(([name]) => name).join(", ")} are refused, each for its reason`, async () => {
  const patches = Object.fromEntries(together.map(([, { patch }], i) => [`proposals/${i}.diff`, patch]));
  await withProject({ ...FILES, ...patches }, async (directory) => {
    const flags = Object.keys(patches).flatMap((path) => ["--patch", path]);
    assert.deepEqual(await refusals(directory, flags), together.map(([, { reason }]) => [reason]));
  }, { limits: { max_attempts: together.length } });
});

for (const [name, { patch, reason, policy }] of named) {
  if (policy === undefined) continue;
  Deno.test(`pp run: ${name} is refused as ${reason}`, async () => {
    await withProject(FILES, async (directory) => {
      assert.deepEqual(await refusals(directory, ["--patch", "-"], patch), [[reason]]);
    }, policy);
  });
}

/** The reasons every attempt was refused for, of a session that proves nothing and changes nothing. */
async function refusals(directory: string, flags: readonly string[], stdin?: string): Promise<string[][]> {
  await Deno.symlink("kept", `${directory}/link`);
  const before = await fingerprint(directory);
  const result = await pp(["run", "sh check.sh", ...flags, "--apply", "--json"], {
    cwd: directory,
    ...(stdin === undefined ? {} : { stdin }),
  });
  const session = JSON.parse(result.stdout) as Session;
  assert.equal(result.code, 2, result.stderr);
  assert.equal(session.status, "not_proved");
  assert.equal(await fingerprint(directory), before);
  return session.attempts.map((attempt) => attempt.refusals.map((refusal) => refusal.reason));
}

/** Fixes of every shape, each applied to the workspace in the end. */
const CRLF = "one\r\nwrong\r\nthree\r\n";
Deno.test("pp run --apply: a CRLF file keeps its line ends", async () => {
  await withProject({
    "check.sh": "printf 'one\\r\\nright\\r\\nthree\\r\\n' | cmp - value.txt\n",
    "value.txt": CRLF,
  }, async (directory) => {
    // The proposal has plain line feeds, as a model would write it.
    const patch = "--- a/value.txt\n+++ b/value.txt\n@@ -1,3 +1,3 @@\n one\n-wrong\n+right\n three\n";
    const { code, stderr } = await pp(["run", "sh check.sh", "--patch", "-", "--apply"], {
      cwd: directory,
      stdin: patch,
    });
    assert.equal(code, 0, stderr);
    assert.equal(await Deno.readTextFile(`${directory}/value.txt`), "one\r\nright\r\nthree\r\n");
  });
});

Deno.test("pp run --apply: a file without a last line feed keeps it that way", async () => {
  await withProject(
    { "check.sh": "printf right | cmp - value.txt\n", "value.txt": "wrong" },
    async (directory) => {
      const patch = "--- a/value.txt\n+++ b/value.txt\n@@ -1 +1 @@\n-wrong\n\\ No newline at end of file\n" +
        "+right\n\\ No newline at end of file\n";
      const { code, stderr } = await pp(["run", "sh check.sh", "--patch", "-", "--apply"], {
        cwd: directory,
        stdin: patch,
      });
      assert.equal(code, 0, stderr);
      assert.equal(await Deno.readTextFile(`${directory}/value.txt`), "right");
    },
  );
});

Deno.test("pp run --apply: a rename", async () => {
  await withProject(
    { "check.sh": "test -f new.txt && ! test -f value.txt\n", "value.txt": "a\nb\n" },
    async (directory) => {
      const patch =
        "diff --git a/value.txt b/new.txt\nsimilarity index 100%\nrename from value.txt\nrename to new.txt\n";
      const { code, stderr } = await pp(["run", "sh check.sh", "--patch", "-", "--apply"], {
        cwd: directory,
        stdin: patch,
      });
      assert.equal(code, 0, stderr);
      assert.equal(await Deno.readTextFile(`${directory}/new.txt`), "a\nb\n");
      await assert.rejects(Deno.stat(`${directory}/value.txt`));
    },
  );
});

Deno.test("pp run --apply: a deletion", async () => {
  await withProject({ "check.sh": "! test -e value.txt\n", "value.txt": "a\n" }, async (directory) => {
    const patch =
      "diff --git a/value.txt b/value.txt\ndeleted file mode 100644\n--- a/value.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n";
    const { code, stderr } = await pp(["run", "sh check.sh", "--patch", "-", "--apply"], {
      cwd: directory,
      stdin: patch,
    });
    assert.equal(code, 0, stderr);
    await assert.rejects(Deno.stat(`${directory}/value.txt`));
  });
});

Deno.test("pp run --apply: a new executable", async () => {
  await withProject({ "check.sh": "./tool\n" }, async (directory) => {
    const patch =
      "diff --git a/tool b/tool\nnew file mode 100755\n--- /dev/null\n+++ b/tool\n@@ -0,0 +1,2 @@\n+#!/bin/sh\n+exit 0\n";
    const { code, stderr } = await pp(["run", "sh check.sh", "--patch", "-", "--apply"], {
      cwd: directory,
      stdin: patch,
    });
    assert.equal(code, 0, stderr);
    assert.equal((await Deno.stat(`${directory}/tool`)).mode! & 0o111, 0o111 & 0o755);
  });
});
