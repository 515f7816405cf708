import { sha256 } from "../../vocabulary/digest.ts";
import { GATE_CHECKS, type GateCheck, type GateFinding, keepsClosed } from "../../verify/gate/check.ts";
import { VERSION } from "../../version.ts";
import type { GateReport } from "./formats.ts";
import { nextSteps, TITLES } from "./wording.ts";

/** Where a finding is shown that is about no file: viewers want a place for each. */
const NO_FILE = "pp.yaml";

/**
 * SARIF 2.1.0 (OASIS): one rule for each check, one error for each thing that keeps the gate closed, one note for each
 * that a reviewer should know.
 */
export function gateSarif({ result, exit }: GateReport): unknown {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: {
        driver: {
          name: "veripatch gate",
          version: VERSION,
          semanticVersion: VERSION,
          informationUri: "https://veripatch.dev/",
          rules: GATE_CHECKS.map((id) => ({
            id: `gate/${id}`,
            name: id.split("_").map((word) => word[0]!.toUpperCase() + word.slice(1)).join(""),
            shortDescription: { text: TITLES[id] },
            defaultConfiguration: { level: "error" },
          })),
        },
      },
      columnKind: "utf16CodeUnits",
      invocations: [{ executionSuccessful: true, exitCode: exit }],
      results: result.checks.flatMap(resultsOf),
    }],
  };
}

function resultsOf(check: GateCheck): unknown[] {
  const { id, verdict, detail, findings, notes } = check;
  const index = GATE_CHECKS.indexOf(id);
  const told = verdict === "fail"
    ? findings
    : keepsClosed(check)
    ? [{ code: "not_checked", detail: `${TITLES[id]}: not checked, ${detail}`, path: null, line: null }]
    : [];
  const result = (level: "error" | "note") => ({ code, detail, path, line }: GateFinding) => ({
    ruleId: `gate/${id}`,
    ruleIndex: index,
    level,
    message: { text: [`${detail} (${code})`, ...nextSteps([code])].join(". Next: ") },
    locations: [{
      physicalLocation: {
        artifactLocation: { uri: uriOf(path ?? NO_FILE), uriBaseId: "%SRCROOT%" },
        ...(line === null ? {} : { region: { startLine: line } }),
      },
    }],
    partialFingerprints: { "veripatchGate/v1": sha256(JSON.stringify([id, code, path])) },
  });
  return [...told.map(result("error")), ...notes.map(result("note"))];
}

/** A path as a relative reference; a first segment with a colon would be read as a scheme, hence everything is encoded. */
function uriOf(path: string): string {
  return path.toWellFormed().split("/").map(encodeURIComponent).join("/");
}
