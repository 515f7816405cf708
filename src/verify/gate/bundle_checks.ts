import type { FileFinding, Inventory } from "../../bundle/inventory.ts";
import type { BundleRead, ReadBundle } from "../../bundle/read.ts";
import { refusalText } from "../../vocabulary/printable.ts";
import { claimOf } from "../replay/claim.ts";
import type { Verification } from "../verify.ts";
import {
  fail,
  finding,
  findingOf,
  type GateCheck,
  type GateFinding,
  judged,
  notChecked,
  ofVerdict,
  pass,
} from "./check.ts";

/** Why a check that goes by a statement cannot be made. */
export const NOT_BELIEVED = "nothing of the bundle is believed before its attestation is valid";

/** Whether a bundle is there whole, a closed world, and does not contradict itself. */
export function bundleCheck(read: BundleRead, { findings }: Inventory): GateCheck {
  if (findings.length > 0) return fail("bundle", findings.map(inBundle));
  if (!read.ok) return fail("bundle", [finding(read.refusal.reason, refusalText(read.refusal))]);
  return pass("bundle", `its ${read.bundle.files.size} files are whole and agree with each other`);
}

/** Signature, integrity, subject and freshness; in the gate an unsigned bundle is never enough. */
export function attestationChecks(verification: Verification): readonly GateCheck[] {
  const { signature, integrity, subject, freshness, findings } = verification;
  return [
    ofVerdict("signature", signature),
    integrity.verdict === "invalid" && findings.length > 0
      ? fail("integrity", findings.map(inBundle))
      : ofVerdict("integrity", integrity),
    ofVerdict("subject", subject),
    ofVerdict("freshness", freshness),
  ];
}

/** A file of the bundle is none of the repository: it goes into what is said, not into the place. */
function inBundle({ code, name, detail }: FileFinding): GateFinding {
  return finding(code, name === "" ? detail : `${name}: ${detail}`);
}

/** Whether what was signed is a proof: red before, green after, at least once each. */
export function provedCheck(verification: Verification, bundle: ReadBundle | null): GateCheck {
  if (!isBelieved(verification)) return notChecked("proved", NOT_BELIEVED);
  if (bundle === null) return notChecked("proved", "the bundle cannot be read");
  const { before, after, status } = verification.statement!.predicate;
  const claim = claimOf(bundle);
  const against = [
    ...(status === "proved" && bundle.repro.status === "proved"
      ? []
      : [finding("not_proved", "its session proved nothing")]),
    ...(claim.ok ? [] : [findingOf(claim.refusal)]),
  ];
  const times = (runs: number) => runs === 1 ? "once" : `${runs} times`;
  return judged(
    "proved",
    against,
    `red without the patch ${times(before.runs)}, green with it ${times(after.runs)}`,
  );
}

/** Whether what the statement says may be used to judge anything. */
export function isBelieved({ verdict, statement }: Verification): boolean {
  return verdict === "valid" && statement !== null;
}
