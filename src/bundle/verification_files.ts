import { type ReportedTests, TEST_FINDINGS, TEST_OUTCOMES } from "../vocabulary/test_report.ts";
import type { CapturedOutput, VerificationResult } from "../vocabulary/verification.ts";
import { capturedText } from "./captured_text.ts";
import { jsonDocument } from "./json.ts";
import { targetSlug } from "./layout.ts";
import type { Redactor } from "./redactor.ts";
import type { ReportDocument, TargetResultsDocument, VerifyDocument } from "./schema.ts";
import { countedBy } from "./tests_document.ts";

interface VerificationFiles {
  /** By name inside the bundle. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly results: TargetResultsDocument;
}

/** One directory of verification runs: `verify.json`, `target_results.json` and what the targets printed, redacted. */
export async function verificationFiles(
  directory: string,
  runs: readonly VerificationResult[],
  redactor: Redactor,
): Promise<VerificationFiles> {
  const files = new Map<string, Uint8Array>();
  const put = (name: string, bytes: Uint8Array) => files.set(`${directory}/${name}`, bytes);
  const stream = async (output: CapturedOutput, name: string) => {
    const { text, kept } = capturedText(output);
    const redacted = await redactor.text(text, name);
    if (kept > 0) put(name, new TextEncoder().encode(redacted));
    return {
      file: kept > 0 ? name : null,
      total_bytes: output.totalBytes,
      kept_bytes: kept,
      sha256: output.sha256,
      redacted: redacted !== text,
    };
  };
  const results: TargetResultsDocument = { format: "veripatch-target-results/v1", runs: [] };
  for (const [r, run] of runs.entries()) {
    const targets: TargetResultsDocument["runs"][number]["targets"] = [];
    for (const [t, { target, outcome, result, tests }] of run.targets.entries()) {
      const number = String(t + 1).padStart(2, "0");
      const stem = `${r === 0 ? "" : `run_${r + 1}/`}${number}_${targetSlug(target)}`;
      targets.push({
        target,
        outcome,
        result: result === null ? null : {
          argv: [...result.argv],
          end: result.end,
          exit_code: result.exitCode,
          duration_ms: Math.round(result.durationMs),
          stdout: await stream(result.stdout, `${stem}.stdout.txt`),
          stderr: await stream(result.stderr, `${stem}.stderr.txt`),
        },
        ...(tests === undefined ? {} : { report: await reportDocument(tests, redactor) }),
      });
    }
    results.runs.push({ run: r + 1, targets });
  }
  put("verify.json", jsonDocument(verifyDocument(runs)));
  put("target_results.json", jsonDocument(results));
  return { files, results };
}

async function reportDocument(
  { verdict, detail, cases, findings }: ReportedTests,
  redactor: Redactor,
): Promise<ReportDocument> {
  return {
    verdict,
    detail: await redactor.text(detail, "tests.txt"),
    tests: cases === null ? null : countedBy(TEST_OUTCOMES, cases.map(({ outcome }) => outcome)),
    findings: countedBy(TEST_FINDINGS, findings.map(({ kind }) => kind)),
  };
}

function verifyDocument(runs: readonly VerificationResult[]): VerifyDocument {
  const outcomes = new Set(runs.map((run) => run.outcome));
  return {
    format: "veripatch-verify/v1",
    outcome: outcomes.size === 1 ? [...outcomes][0]! : "mixed",
    passed: runs.filter((run) => run.outcome === "passed").length,
    runs: runs.map(({ outcome }, i) => ({ run: i + 1, outcome })),
  };
}
