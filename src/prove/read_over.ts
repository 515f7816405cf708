import { pathsNeeded, readProposal, resolveProposal } from "../patch/read.ts";
import type { ByteString } from "../vocabulary/patch.ts";
import type { BaseFiles } from "./base_files.ts";

/**
 * Reads a patch as people and models write them, over a base whose files are loaded as they are needed.
 * @returns the patch in canonical form and how it was read, or why it is none of this base
 * @throws Failure `workspace_changed` when the workspace moved under us
 */
export async function readOver(
  text: ByteString,
  base: BaseFiles,
): Promise<ReturnType<typeof resolveProposal>> {
  const raw = readProposal(text);
  if (!raw.ok) return raw;
  const needed = pathsNeeded(raw.proposal, base.entries);
  if (!needed.ok) return needed;
  const tooLarge = await base.load(needed.paths);
  return tooLarge === null
    ? resolveProposal(raw.proposal, base.entries, base.read)
    : { ok: false, refusal: tooLarge };
}
