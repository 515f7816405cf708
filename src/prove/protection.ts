import { applyPatch } from "../patch/apply.ts";
import type { Policy } from "../policy/policy.ts";
import { changesOnlyMembers } from "../policy/protected_json.ts";
import { type Contents, type ProtectedTouch, protectedTouches } from "../policy/protected.ts";
import type { FileChange } from "../vocabulary/change.ts";
import type { Patch, Refusal } from "../vocabulary/patch.ts";
import type { BaseFiles } from "./base_files.ts";

/** What a patch does to protected files. */
interface Touched {
  /** The policy lets the patch touch these. */
  readonly allowed: readonly ProtectedTouch[];
  readonly denied: readonly ProtectedTouch[];
}

/**
 * The protected files that a patch touches. A package.json whose files are loaded is compared before and after.
 * @throws RangeError if the policy holds a glob that the schema would have refused
 */
export function touchedBy(patch: Patch, policy: Policy, base: BaseFiles): Touched {
  const touches = protectedTouches(patch, base.protectionUnder(policy), contentsIn(base));
  return { allowed: touches.filter((t) => t.allowed), denied: touches.filter((t) => !t.allowed) };
}

/** The patch without every file of which a denied path is part, renamed ones included. */
export function withoutDenied(patch: Patch, denied: readonly ProtectedTouch[]): Patch {
  const paths = new Set<string>(denied.map((touch) => touch.path));
  const stays = (path: string | null) => path === null || !paths.has(path);
  return { files: patch.files.filter((file) => stays(file.oldPath) && stays(file.newPath)) };
}

/** How a refusal says it. */
export function refusalsOf(denied: readonly ProtectedTouch[]): Refusal[] {
  return denied.map(({ path, rule, about }) => ({
    reason: "path_protected",
    path,
    detail: `protected: ${about} (${rule}); policy.protect.allow or --allow-protected lets a patch touch it`,
  }));
}

/**
 * Whether changes that are part of a patch leave alone what the whole patch leaves alone in files of which only some
 * members may change: a part of a harmless change need not be harmless.
 */
export function partsCheck(
  patch: Patch,
  policy: Policy,
  base: BaseFiles,
): (changes: readonly FileChange[]) => boolean {
  const protection = base.protectionUnder(policy);
  const guarded = new Map<string, { before: Uint8Array; members: readonly string[] }>();
  for (const { newPath } of patch.files) {
    const found = newPath === null ? null : protection(newPath);
    const before = newPath === null ? undefined : base.read(newPath);
    if (found === null || found.allowed || found.freeMembers === null || before === undefined) continue;
    guarded.set(newPath!, { before, members: found.freeMembers });
  }
  return (changes) =>
    changes.every((change) => {
      const guard = guarded.get(change.path);
      if (guard === undefined) return true;
      return change.kind === "write" && changesOnlyMembers(guard.before, change.bytes, guard.members);
    });
}

function contentsIn(base: BaseFiles): Contents {
  return (file) => {
    const result = applyPatch({ files: [file] }, base.lookup);
    const before = file.oldPath === null ? undefined : base.read(file.oldPath);
    const change = result.ok ? result.changes.find((c) => c.path === file.newPath) : undefined;
    if (before === undefined || change?.kind !== "write") return null;
    return { before, after: change.bytes };
  };
}
