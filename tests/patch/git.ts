import { spawnSync } from "node:child_process";
import { dirname, join, relative } from "node:path";
import { bytesOf } from "../../src/patch/bytes.ts";
import type { ByteString } from "../../src/vocabulary/patch.ts";
import type { Tree } from "./trees.ts";

/** Puts the tree into a new directory, runs `git apply --check` and `git apply`, and reads what came out. */
export function gitApply(tree: Tree, patch: ByteString): { ok: boolean; stderr: string; tree: Tree } {
  const root = Deno.makeTempDirSync({ prefix: "pp-git-" });
  try {
    const dir = join(root, "tree");
    Deno.mkdirSync(dir);
    for (const [path, file] of tree) {
      Deno.mkdirSync(dirname(join(dir, path)), { recursive: true });
      Deno.writeFileSync(join(dir, path), file.bytes);
      Deno.chmodSync(join(dir, path), file.mode === "100755" ? 0o755 : 0o644);
    }
    Deno.writeFileSync(join(root, "patch"), bytesOf(patch));
    for (const args of [["apply", "--check", "../patch"], ["apply", "../patch"]]) {
      const run = spawnSync("git", ["-c", "core.whitespace=", ...args], {
        cwd: dir,
        env: {
          PATH: Deno.env.get("PATH"),
          HOME: root,
          GIT_CONFIG_NOSYSTEM: "1",
          GIT_CEILING_DIRECTORIES: root,
          LC_ALL: "C",
        },
      });
      if (run.status !== 0) return { ok: false, stderr: String(run.stderr), tree: new Map() };
    }
    return { ok: true, stderr: "", tree: readTree(dir, dir) };
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

function readTree(root: string, dir: string): Tree {
  const tree: Tree = new Map();
  for (const entry of Deno.readDirSync(dir)) {
    const full = join(dir, entry.name);
    if (entry.isDirectory) {
      for (const [path, file] of readTree(root, full)) tree.set(path, file);
      continue;
    }
    const mode = Deno.statSync(full).mode! & 0o100 ? "100755" : "100644";
    tree.set(relative(root, full), { mode, bytes: Deno.readFileSync(full) });
  }
  return tree;
}
