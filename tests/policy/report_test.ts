import assert from "node:assert/strict";
import fc from "fast-check";
import { configuredTargets } from "../../src/policy/commands.ts";
import { policyDigest } from "../../src/policy/digest.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { parseReportFlag, reportSource } from "../../src/policy/report.ts";
import { policyJsonSchema } from "../../src/policy/schema.ts";

const target = (report: string, name = "a") => `  - {name: ${name}, cmd: t, report: ${report}}\n`;
const parse = (...targets: string[]) => parsePolicy(`proof_targets:\n${targets.join("")}`, "pp.yaml");
const problems = (...targets: string[]) => {
  const parsed = parse(...targets);
  assert.ok(!parsed.ok, "it was taken");
  return parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

Deno.test("parsePolicy: a target's report is part of the target and of the digest", () => {
  const [with_, without, other] = [
    target("{format: junit, path: out/r.xml}"),
    "  - {name: a, cmd: t}\n",
    target("{format: junit, path: out/s.xml}"),
  ].map((text) => {
    const parsed = parse(text);
    assert.ok(parsed.ok, JSON.stringify(parsed));
    return parsed.config;
  });
  const configured = configuredTargets(with_!);
  assert.ok(configured.ok);
  assert.deepEqual(configured.targets[0]!.report, { format: "junit", path: "out/r.xml" });
  assert.equal(new Set([with_!, without!, other!].map(policyDigest)).size, 3);
});

Deno.test("parsePolicy: tap is read from stdout unless a file is named", () => {
  for (const report of ["{format: tap}", '{format: tap, path: "-"}']) {
    const parsed = parse(target(report));
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.config.proof_targets[0]!.report, { format: "tap", path: "-" });
  }
});

Deno.test("parsePolicy: what is no report is told with its place", () => {
  assert.match(problems(target("{format: html, path: x}"))[0]!, /^proof_targets\[0\]\.report\.format: /);
  assert.match(problems(target("{format: junit}"))[0]!, /report\.path: a junit report needs its path/);
  assert.match(problems(target("{format: junit, path: ../x}"))[0]!, /no path inside the workspace/);
  assert.match(problems(target("{format: junit, path: /x}"))[0]!, /no path inside the workspace/);
  assert.match(problems(target("{format: junit, path: .pp-artifacts/x}"))[0]!, /kept for bundles/);
  assert.match(problems(target("{format: junit, pth: x}")).join("\n"), /did you mean path/);
  assert.match(problems(target("junit"))[0]!, /expected a report, such as/);
});

Deno.test("parsePolicy: two targets cannot share a file of reports, stdout they can", () => {
  const said = problems(
    target("{format: junit, path: r.xml}"),
    target("{format: tap, path: R.XML}", "b"),
  );
  assert.match(said[0]!, /^proof_targets\[1\]\.report\.path: another target/);
  assert.ok(parse(target("{format: tap}"), target("{format: tap}", "b")).ok);
});

Deno.test("policyJsonSchema: has the report of a target", () => {
  const text = JSON.stringify(policyJsonSchema());
  assert.match(text, /"report":\{"description":"Machine-readable test report/);
});

Deno.test("reportSource: whatever path it takes stays inside the workspace", () => {
  const part = fc.constantFrom("..", ".", "", "a", "b c", ".git", "-", "pp.yaml", "\0", "é");
  const path = fc.oneof(fc.string(), fc.array(part, { minLength: 1, maxLength: 6 }).map((p) => p.join("/")));
  fc.assert(fc.property(path, fc.constantFrom("junit" as const, "tap" as const), (text, format) => {
    const read = reportSource(format, text);
    if (!read.ok) return assert.notEqual(read.detail, "");
    assert.equal(read.report.path, text);
    if (text === "-") return;
    assert.ok(!text.startsWith("/") && text !== "");
    assert.ok(
      text.split("/").every((s) => s !== "" && s !== "." && s !== ".." && s.toLowerCase() !== ".git"),
    );
    assert.deepEqual(parseReportFlag(`${format}:${text}`), read);
  }));
});
