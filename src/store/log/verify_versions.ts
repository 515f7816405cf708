import { canonicalJson } from "../../vocabulary/canonical_json.ts";
import type { Rows, Version } from "../store.ts";
import { versionPayload } from "./change.ts";
import type { Told } from "./problem.ts";

/** What the log tells of versions. */
export function toldOfVersions(rows: Rows): Told {
  const told = new Map<string, string>();
  const pruned = new Set<string>();
  return {
    see({ kind, payload: text, time, actor }, payload) {
      if (kind === "version_created") {
        told.set(keyOf(payload.artifact, payload.version), `${text}\n${time}\n${actor}`);
      }
      if (kind === "versions_pruned" && Array.isArray(payload.versions)) {
        for (const number of payload.versions) pruned.add(keyOf(payload.artifact, number));
      }
    },
    compare(whole, add) {
      for (const version of rows.versions()) {
        const key = keyOf(version.artifact, version.number);
        const said = told.get(key);
        told.delete(key);
        if (said === undefined) {
          // The event that told of it may have lost its payload.
          if (whole) add("version_unknown", null, `no event tells of ${key}`);
        } else if (said !== versionAs(version)) {
          add("version_edited", null, `${key} is not as the log says`);
        } else if (pruned.has(key)) add("version_edited", null, `${key} was pruned, and is there`);
      }
      for (const key of told.keys()) {
        if (!pruned.has(key) && whole) add("version_gone", null, `${key} is not there, and was not pruned`);
      }
    },
  };
}

function keyOf(artifact: unknown, number: unknown): string {
  return `${artifact}@${number}`;
}

function versionAs(version: Version): string {
  return `${canonicalJson(versionPayload(version))}\n${version.createdAt}\n${version.actor}`;
}
