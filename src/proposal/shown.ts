import { readEvidence } from "../approve/evidence.ts";
import type { FoundRevision } from "../store/proposal/find.ts";
import type { Store } from "../store/store.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { Failure } from "../vocabulary/failure.ts";
import { storedChange } from "./draft.ts";
import { evidenceFiles } from "./evidence.ts";

/**
 * That what is shown of a revision is what would be applied: its patch makes of its base exactly its result, and its
 * evidence names the files of that patch. Whoever can write the store could else have one thing read and approved, and
 * another one applied.
 * @throws Failure `revision_corrupt`, as `storedChange`
 */
export async function requireAsShown(store: Store, found: FoundRevision): Promise<void> {
  const { change: { patch } } = await storedChange(store, found);
  const { evidenceDocument, proposal, number } = found.revision;
  if (evidenceDocument === null) return;
  const read = readEvidence(evidenceDocument);
  if (read.ok && canonicalJson(read.evidence.patch.files) === canonicalJson(evidenceFiles(patch))) return;
  throw new Failure("malformed", "revision_corrupt", `P${proposal}.${number} in the store is not sound`, {
    details: ["its evidence names other files than its patch changes"],
    hint: "pp artifact fsck and pp events --verify say what is damaged",
  });
}
