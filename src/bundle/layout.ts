import type { Refusal } from "../vocabulary/patch.ts";

/** Bounds of a bundle, kept by the writer and checked by the reader. */
export const BOUNDS = {
  files: 10_000,
  /** Of one file. */
  bytes: 128 * 1024 * 1024,
  totalBytes: 512 * 1024 * 1024,
  /** Of workspace.tar, which is never held in memory and does not count among the others. */
  workspaceBytes: 1024 * 1024 * 1024,
  /** Segments of a name. */
  depth: 4,
  jsonDepth: 16,
  /** More members and items than a JSON document has; each costs memory many times its bytes. */
  jsonValues: 4_000_000,
};
export type Bounds = Readonly<typeof BOUNDS>;

/** The base itself, when a bundle embeds it. */
export const WORKSPACE_TAR = "workspace.tar";

/** Every bundle has these; `final.patch` besides, exactly when the session proved something. */
const REQUIRED = [
  "repro.json",
  "policy.json",
  "environment.json",
  "workspace_manifest.json",
  "final_summary.md",
  "events.jsonl",
  "attempts/0_baseline/verify.json",
  "attempts/0_baseline/target_results.json",
] as const;

const ATTEMPT = "attempts/[1-9][0-9]{0,3}";
const VERIFICATION =
  `(?:attempts/0_baseline|${ATTEMPT}/verify|confirmation|base_again|negative_control|minimization_rejected)`;
/** Every name a bundle may have, as patterns; one line for each kind of file. */
const KNOWN_NAMES = [
  "repro\\.json",
  "policy\\.json",
  "environment\\.json",
  "workspace_manifest\\.json",
  "source_git\\.diff",
  "minimization\\.json",
  "tests\\.json",
  "final\\.patch",
  "final_summary\\.md",
  "events\\.jsonl",
  "workspace\\.tar",
  "attestation\\.json",
  "test_result\\.attestation\\.json",
  `${ATTEMPT}/(?:proposed\\.json|applied\\.patch|patch_stats\\.json)`,
  `${VERIFICATION}/(?:verify|target_results)\\.json`,
  `${VERIFICATION}/(?:run_[1-9][0-9]{0,3}/)?[0-9]{2,4}_[a-z0-9_]{1,40}\\.(?:stdout|stderr)\\.txt`,
];
const KNOWN = new RegExp(`^(?:${KNOWN_NAMES.join("|")})$`);

/**
 * Whether a name may stand in a bundle. Known names are plain lower-case ASCII (one letter and `NFC` questions do not
 * arise), relative, and no two of them collide where case does not count.
 */
export function isKnownName(name: string): boolean {
  return name.length <= 200 && KNOWN.test(name);
}

/** How many bytes a file of this name may have. */
export function mostBytes(name: string, bounds: Bounds = BOUNDS): number {
  return name === WORKSPACE_TAR ? bounds.workspaceBytes : bounds.bytes;
}

/** The first thing wrong with a set of names and sizes; null when they can be a bundle. */
export function layoutProblem(files: ReadonlyMap<string, number>, bounds: Bounds = BOUNDS): Refusal | null {
  const no = (reason: string, detail: string, path?: string): Refusal =>
    path === undefined ? { reason, detail } : { reason, path, detail };
  if (files.size > bounds.files) return no("bundle_too_many_files", `more than ${bounds.files} files`);
  let total = 0;
  for (const [name, bytes] of files) {
    if (!isKnownName(name)) return no("bundle_unknown_file", "a file that no bundle has", name);
    const most = mostBytes(name, bounds);
    if (bytes > most) return no("bundle_too_large", `a file over ${most} bytes`, name);
    if (name !== WORKSPACE_TAR) total += bytes;
  }
  if (total > bounds.totalBytes) return no("bundle_too_large", `over ${bounds.totalBytes} bytes in all`);
  const missing = REQUIRED.find((name) => !files.has(name));
  return missing === undefined ? null : no("bundle_missing_file", "not in the bundle", missing);
}

/** The part of a file name that tells people which target it is of. */
export function targetSlug(target: string): string {
  const slug = target.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_").replace(/^_+/, "").slice(0, 40).replace(
    /_+$/,
    "",
  );
  return slug === "" ? "target" : slug;
}
