import type { Version } from "../store/store.ts";

/** A version in documents of `--json`. */
export function versionJson(version: Version) {
  const { artifact, number, root, manifest, files, bytes, createdAt, actor, message, restores } = version;
  return {
    name: `${artifact}@${number}`,
    ...{ artifact, number, root, manifest, files, bytes, created_at: createdAt, actor, message, restores },
  };
}
