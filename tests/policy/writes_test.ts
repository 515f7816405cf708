import assert from "node:assert/strict";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { checkWrites, writeCheck } from "../../src/policy/writes.ts";
import type { FilePatch, Patch } from "../../src/vocabulary/patch.ts";
import type { RelativePath } from "../../src/vocabulary/path.ts";

/** Paths are cast, as the check must hold even for one that slipped through parsing. */
function file(oldPath: string | null, newPath: string | null): FilePatch {
  return {
    oldPath: oldPath as RelativePath | null,
    newPath: newPath as RelativePath | null,
    oldMode: oldPath === null ? null : "100644",
    newMode: newPath === null ? null : "100644",
    hunks: [],
  };
}

function policy(change: Partial<Policy> = {}): Policy {
  return { ...defaultPolicy().policy, ...change };
}

function reasons(rules: Policy, ...files: FilePatch[]): string[] {
  const patch: Patch = { files };
  return checkWrites(rules, patch, 10).map((r) => `${r.reason} ${r.path}`);
}

Deno.test("checkWrites: the default lets a patch write anywhere in the workspace", () => {
  assert.deepEqual(reasons(policy(), file("a", "a"), file(null, ".b/c"), file("d", null)), []);
});

Deno.test("checkWrites: .git, .pp-artifacts and everything outside are refused, even where all is allowed", () => {
  const cases: [string, string][] = [
    [".git/config", "path_git_directory"],
    ["sub/.GIT/hooks/x", "path_git_directory"],
    [".git", "path_git_directory"],
    [".pp-artifacts/x/final.patch", "path_artifacts_directory"],
    [".PP-Artifacts/x", "path_artifacts_directory"],
    [".pp-artifacts", "path_artifacts_directory"],
    ["../x", "path_escapes"],
    ["/etc/passwd", "path_absolute"],
    ["a/../b", "path_escapes"],
    ["a\\b", "path_backslash"],
  ];
  for (const [path, reason] of cases) {
    assert.deepEqual(reasons(policy(), file(null, path)), [`${reason} ${path}`]);
    assert.deepEqual(reasons(policy(), file(path, null)), [`${reason} ${path}`]);
  }
  assert.deepEqual(reasons(policy(), file("a/.pp-artifacts-x", "a/.pp-artifacts-x")), []);
});

Deno.test("checkWrites: deny wins over allow", () => {
  const rules = policy({ write_allowlist: ["src/**", "src/secret.py"], deny_write: ["**/secret.py"] });
  assert.deepEqual(reasons(rules, file("src/a.py", "src/a.py")), []);
  assert.deepEqual(reasons(rules, file("src/secret.py", "src/secret.py")), ["path_denied src/secret.py"]);
});

Deno.test("checkWrites: both ends of a rename, creations and deletions count", () => {
  const rules = policy({ write_allowlist: ["src/**"], deny_write: ["src/no/**"] });
  assert.deepEqual(reasons(rules, file("docs/a", "src/a")), ["path_not_allowlisted docs/a"]);
  assert.deepEqual(reasons(rules, file("src/a", "docs/a")), ["path_not_allowlisted docs/a"]);
  assert.deepEqual(reasons(rules, file("src/no/a", "src/a")), ["path_denied src/no/a"]);
  assert.deepEqual(reasons(rules, file(null, "docs/a")), ["path_not_allowlisted docs/a"]);
  assert.deepEqual(reasons(rules, file("docs/a", null)), ["path_not_allowlisted docs/a"]);
});

Deno.test("checkWrites: case counts, dot files count", () => {
  const rules = policy({ write_allowlist: ["src/**"], deny_write: ["**/.env"] });
  assert.deepEqual(reasons(rules, file(null, "Src/a")), ["path_not_allowlisted Src/a"]);
  assert.deepEqual(reasons(rules, file(null, "src/.hidden/.x")), []);
  assert.deepEqual(reasons(rules, file(null, "src/.env")), ["path_denied src/.env"]);
});

Deno.test("checkWrites: limits are inclusive, and all violations come at once", () => {
  const limits = { ...policy().limits, max_files_changed: 2, max_patch_bytes: 100 };
  const rules = policy({ limits, deny_write: ["b"] });
  const two = { files: [file("a", "a"), file("c", "c")] };
  assert.deepEqual(checkWrites(rules, two, 100), []);
  const three = { files: [file("a", "a"), file("b", "b"), file(null, ".git/x")] };
  assert.deepEqual(checkWrites(rules, three, 101).map((r) => r.reason), [
    "too_many_files",
    "patch_too_large",
    "path_denied",
    "path_git_directory",
  ]);
});

Deno.test("writeCheck: judges single paths by the same rules", () => {
  const check = writeCheck(policy({ write_allowlist: ["src/*.py"], deny_write: ["src/x.py"] }));
  assert.equal(check("src/a.py"), null);
  assert.equal(check("src/x.py")?.reason, "path_denied");
  assert.equal(check("a.py")?.reason, "path_not_allowlisted");
  assert.equal(check(".git/a")?.reason, "path_git_directory");
});

Deno.test("checkWrites: a glob no schema would have let through is an error, not a rule that never matches", () => {
  assert.throws(() => writeCheck(policy({ deny_write: ["/etc/**"] })), RangeError);
});
