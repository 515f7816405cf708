import type { Sha256 } from "../vocabulary/digest.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import type { EmbeddedWorkspace } from "./record.ts";
import type {
  EnvironmentDocument,
  ManifestDocument,
  MinimizationDocument,
  PolicyDocument,
  Repro,
} from "./schema.ts";

/** A bundle whose files are well-formed, each for itself. */
export interface ParsedBundle {
  readonly repro: Repro;
  readonly policy: PolicyDocument;
  readonly environment: EnvironmentDocument;
  readonly manifest: ManifestDocument;
  readonly minimization: MinimizationDocument | null;
  /** Every JSON document by file name. */
  readonly all: ReadonlyMap<string, unknown>;
  /** What workspace.tar holds; null without one. */
  readonly embedded: EmbeddedWorkspace | null;
  /** Every file by name, but for workspace.tar. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly hashes: ReadonlyMap<string, Sha256>;
}

/** The refusal of a file that contradicts another. */
export function inconsistent(path: string, detail: string): Refusal {
  return { reason: "bundle_inconsistent", path, detail };
}
