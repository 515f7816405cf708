import { VERSION } from "../../version.ts";
import { signersJson } from "../verification_report.ts";
import type { GateReport } from "./formats.ts";

/** `veripatch-gate/v1`, as docs/formats.md has it. */
export function gateJson({ result, exit, bundle, names, owners }: GateReport): unknown {
  const { verification, policy } = result;
  const { statement, signers } = verification;
  const believed = verification.verdict === "valid" ? statement : null;
  return {
    format: "veripatch-gate/v1",
    tool: { name: "veripatch", version: VERSION },
    verdict: result.verdict,
    success: result.verdict === "open",
    exit,
    bundle,
    base: { name: names.base, commit: result.base },
    head: { name: names.head, commit: result.head },
    merge_base: result.mergeBase,
    policy: policy === null ? null : { source: policy.source, digest: policy.digest },
    signers: signersJson(signers, owners),
    statement: believed === null ? null : {
      session: believed.predicate.session,
      issued_at: believed.predicate.issued_at,
      final_patch: believed.subjects.patch,
      base_tree: believed.predicate.base.tree,
      result_tree: believed.subjects.tree,
    },
    checks: result.checks.map(({ id, verdict, required, detail, findings, notes }) => ({
      id,
      verdict,
      required,
      detail,
      findings,
      notes,
    })),
  };
}
