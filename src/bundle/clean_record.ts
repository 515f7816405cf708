import type { ByteString } from "../vocabulary/patch.ts";
import type { SessionRecord } from "./record.ts";
import type { Redactor } from "./redactor.ts";
import { apartFromTests } from "./test_lists.ts";

/**
 * A record fit to be written: every string redacted, no absolute path of the machine it was made on. Patches and the
 * workspace manifest stay exact (the session refuses patches with secrets in them); captured output stays as it was and
 * is redacted when it is turned into text, and names of tests when they are listed.
 */
export async function cleanRecord(record: SessionRecord, redactor: Redactor): Promise<SessionRecord> {
  const { record: whole, putBack } = apartFromTests(record);
  const { manifest, skipped, final, ...rest } = whole;
  const { attestation } = rest.policy.policy;
  const bare = {
    ...rest,
    policySource: rest.policySource === null ? null : withoutDirectory(rest.policySource),
    policy: {
      ...rest.policy,
      policy: {
        ...rest.policy.policy,
        attestation: {
          ...attestation,
          key_file: attestation.key_file === null ? null : withoutDirectory(attestation.key_file),
        },
      },
    },
    attempts: rest.attempts.map((attempt) => ({
      ...attempt,
      proposal: attempt.proposal === null
        ? null
        : { ...attempt.proposal, source: withoutDirectory(attempt.proposal.source) },
      applied: attempt.applied === null ? null : { ...attempt.applied, patch: "" as ByteString },
    })),
  };
  const clean = await redactor.strings(bare, "session.json");
  return putBack({
    ...clean,
    attempts: clean.attempts.map((attempt, i) => {
      const exact = record.attempts[i]!.applied;
      return { ...attempt, applied: exact === null ? null : { ...attempt.applied!, patch: exact.patch } };
    }),
    manifest,
    skipped,
    final,
  });
}

/** A relative name as it is; of an absolute one, or one that leads out of the workspace, the last part. */
function withoutDirectory(path: string): string {
  const leadsOut = /^([/~]|[A-Za-z]:[\\/])/.test(path) || path.split(/[\\/]/).includes("..");
  return leadsOut ? path.split(/[\\/]/).findLast((part) => part !== "") ?? "" : path;
}
