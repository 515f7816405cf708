import { PROOF_ENVELOPE } from "../../bundle/claims.ts";
import type { FileFinding, Inventory } from "../../bundle/inventory.ts";
import type { ProofPredicate } from "../../bundle/statement.ts";
import { invalid, valid, type Verdict } from "./verdict.ts";

interface IntegrityJudged {
  readonly verdict: Verdict;
  /** Everything that is wrong, each with its file. */
  readonly findings: readonly FileFinding[];
}

/** A bundle is exactly the signed list of files and the envelope: nothing changed, missing or added. */
export function judgeIntegrity(inventory: Inventory, listed: ProofPredicate["files"]): IntegrityJudged {
  const findings = [...inventory.findings];
  const odd = new Set(findings.map((finding) => finding.name));
  const find = (code: string, name: string, detail: string) => {
    // What is there as a link or cannot be read is told once.
    if (!odd.has(name)) findings.push({ code, name, detail });
  };
  const names = new Set<string>([PROOF_ENVELOPE]);
  for (const { name, size, sha256 } of listed) {
    names.add(name);
    const file = inventory.files.get(name);
    if (file === undefined) find("missing", name, "it is signed for and not in the bundle");
    else if (file.sha256 !== sha256 || file.size !== size) find("changed", name, "not what was signed");
  }
  for (const name of inventory.files.keys()) {
    if (!names.has(name)) find("extra", name, "it is in the bundle and not signed for");
  }
  if (findings.length > 0) return { verdict: ofFindings(findings), findings };
  const detail = `${listed.length} files are what was signed, and there are no others`;
  return { verdict: valid("complete", detail), findings };
}

/** The verdict on a bundle about which something was found. */
export function ofFindings(findings: readonly FileFinding[]): Verdict {
  const [first, ...more] = findings as [FileFinding, ...FileFinding[]];
  const name = first.name === "" ? "" : `${first.name}: `;
  const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
  return invalid(first.code, `${name}${first.detail}${rest}`);
}
