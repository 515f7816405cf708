import type { Sha256 } from "../vocabulary/digest.ts";
import { relative, resolve } from "node:path";
import { quoteWords } from "../policy/shell_words.ts";
import type { CheckedBundle } from "../verify/checked_bundle.ts";
import { type BaseDifference, NAMED_DIFFERENCES, type ReplayResult } from "../verify/replay.ts";
import type { ReplayClaim } from "../verify/replay/claim.ts";
import type { ReplayPlan } from "../verify/replay/rerun.ts";
import type { Check } from "../verify/replay/judge.ts";
import type { RemovalsTried } from "../verify/replay/removals.ts";
import { checksOf } from "../verify/replay/facts.ts";
import type { Verification } from "../verify/verify.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import type { VerificationResult } from "../vocabulary/verification.ts";
import { EXIT } from "./exit_code.ts";
import { type Colour, colour, count, shownPath } from "./output.ts";
import { sandboxText } from "./progress.ts";
import { replayJson } from "./replay_json.ts";
import type { VerbResult } from "./verb.ts";
import { type Owners, PARTS, signerText, verificationJson, verificationText } from "./verification_report.ts";

const EXIT_OF = { confirmed: EXIT.yes, contradicted: EXIT.no, inconclusive: EXIT.noAnswer } as const;

/** What to say of a bundle whose attestation is invalid: nothing of it was run. */
export function invalidReport(verification: Verification, bundle: string, owners: Owners): VerbResult {
  const c = colour(Deno.stdout);
  const exit = EXIT.no;
  const first = PARTS.map((part) => verification[part]).find((v) => v.verdict === "invalid") ??
    verification.signature;
  return {
    exit,
    text: `${verificationText(verification, bundle, owners)}\n${
      line(c, "replay", c.bold(c.red("not run: the bundle did not pass")))
    }`,
    json: {
      format: "veripatch-replay/v1",
      verdict: "invalid",
      success: false,
      reason: first.code,
      detail: first.detail,
      exit,
      bundle,
      attestation: verificationJson(verification, bundle, owners, exit),
      checks: checksOf(verification, null),
      base: [],
      patched: [],
      negative_control: [],
      findings: [],
      minimal: null,
      sandbox_backend: null,
      image: null,
      summary: null,
    },
  };
}

/** What was replayed, and how. */
export interface Replayed {
  readonly checked: CheckedBundle;
  readonly result: ReplayResult;
  readonly plan: ReplayPlan;
  /** Where it comes from, null for the built-in one, and its digest with what the flags made of it. */
  readonly policy: { readonly source: string | null; readonly digest: Sha256 };
  /** The folder that was taken for the base. */
  readonly checkout: string;
}

/** What was signed, by whom, and where it is. */
export interface SignedSummary {
  readonly file: string;
  readonly keyId: string;
  readonly result: "PASSED" | "FAILED";
}

/** Which bundle, whose keys are known, and what was signed of it. */
export interface ReportContext {
  readonly bundle: string;
  readonly owners: Owners;
  readonly summary: SignedSummary | null;
}

/** What was checked, on what, what came of it, and what to do next. */
export function replayReport(replayed: Replayed, context: ReportContext): VerbResult {
  const exit = EXIT_OF[replayed.result.verdict];
  return { exit, text: text(replayed, context), json: replayJson(replayed, context, exit) };
}

function line(c: Colour, name: string, said: string): string {
  return `${c.bold(name.padEnd(10))} ${said}`;
}

function text(replayed: Replayed, { bundle, owners, summary }: ReportContext): string {
  const c = colour(Deno.stdout);
  const { checked, result, policy } = replayed;
  const { claim, verification } = checked;
  const checks = new Map(checksOf(verification, result).map(({ check, verdict }) => [check, verdict]));
  const marked = (check: Check["check"], said: string) => `${mark(checks.get(check)!, c)} ${said}`;
  const paint = { confirmed: c.green, contradicted: c.red, inconclusive: c.yellow }[result.verdict];
  const root = Deno.cwd();
  const environment = result.environment;
  return [
    line(c, "bundle", shownPath(bundle, root)),
    ...attestationLines(replayed, owners, c),
    line(c, "policy", policyText(replayed, root, c)),
    ...claim.targets.map((t) => line(c, "command", printableLine(t.command))),
    ...(result.differences.length > 0 ? differenceLines(replayed, c) : [line(
      c,
      "base",
      `${marked("base_tree", `tree ${claim.baseTree.slice(0, 12)}`)} -> ` +
        `${marked("patch", `${claim.resultTree.slice(0, 12)} with final.patch`)}`,
    )]),
    ...(environment === null ? [] : [
      line(
        c,
        "sandbox",
        sandboxText(environment.backend, environment.image) +
          (result.asRecorded ? ", as recorded" : c.yellow(", not the recorded one")),
      ),
    ]),
    ...(result.base.length === 0 ? [] : [
      line(
        c,
        "without",
        marked("base_red", sideText(result.base)) +
          (checks.get("base_as_recorded") === "passed" ? ", as recorded" : ""),
      ),
    ]),
    ...(result.patched.length === 0
      ? []
      : [line(c, "with", marked("patched_green", sideText(result.patched)))]),
    ...(checks.get("tests_fixed") === "not_checked" || !checks.has("tests_fixed") ? [] : [
      line(c, "tests", marked("tests_fixed", fixedText(claim))),
    ]),
    ...(result.minimal === null ? [] : [line(c, "minimal", marked("minimal", minimalText(result.minimal)))]),
    ...(result.control.length === 0 ? [] : [
      line(c, "control", marked("negative_control", `with your failing test ${sideText(result.control)}`)),
    ]),
    ...result.findings.map(({ path, rule, detail }) =>
      line(c, "flagged", c.yellow(`${printablePath(path ?? "")}: ${printableLine(`${detail} (${rule})`)}`))
    ),
    line(
      c,
      "verdict",
      `${c.bold(paint(result.verdict))}: ${
        result.differences.length > 0 ? "the checkout is not the recorded base" : printableLine(result.detail)
      }`,
    ),
    ...(summary === null ? [] : [
      line(
        c,
        "signed",
        `${shownPath(summary.file, root)}: ${summary.result}, by ed25519 ${summary.keyId.slice(0, 16)}`,
      ),
    ]),
    ...next(replayed, policy.source === null, summary).map((said) => `${c.dim("next".padEnd(10))} ${said}`),
  ].join("\n");
}

/** One difference a line; the rest are counted. */
function differenceLines({ checked, result: { differences } }: Replayed, c: Colour): string[] {
  const more = differences.length - NAMED_DIFFERENCES;
  const tree = `the checkout is not the recorded tree ${checked.claim.baseTree.slice(0, 12)}:`;
  return [
    line(c, "base", `${mark("unclear", c)} ${tree}`),
    ...differences.slice(0, NAMED_DIFFERENCES).map(({ kind, path }) =>
      line(c, "", `  ${kind}: ${printablePath(path)}`)
    ),
    ...(more > 0 ? [line(c, "", `  and ${more} more`)] : []),
  ];
}

/** The same call without the strays, where nothing else is wrong with the checkout; null where that cannot be said. */
function callLeavingOut(differences: readonly BaseDifference[], checkout: string): string | null {
  if (differences.length === 0 || differences.length > NAMED_DIFFERENCES) return null;
  if (differences.some(({ kind }) => kind !== "not in the bundle")) return null;
  const files = differences.map(({ path }) => {
    const near = relative(Deno.cwd(), resolve(checkout, path));
    return near.startsWith("-") ? `./${near}` : near;
  });
  const call = quoteWords(["pp", ...Deno.args, ...files.flatMap((file) => ["--leave-out", file])]);
  return call === printableLine(call) ? call : null;
}

function mark(verdict: Check["verdict"], c: Colour): string {
  return {
    passed: c.green("✓"),
    failed: c.red("✗"),
    unclear: c.yellow("?"),
    not_checked: c.dim("-"),
  }[verdict];
}

function attestationLines({ checked }: Replayed, owners: Owners, c: Colour): string[] {
  const { verification } = checked;
  if (verification === null) {
    return [
      line(c, "signature", c.yellow("- not checked; --key, --trust or --verify-attestation checks it")),
    ];
  }
  if (verification.signature.verdict === "unsigned") {
    return [line(c, "signature", c.yellow("! UNSIGNED, allowed: nobody vouches for this bundle"))];
  }
  return [
    ...PARTS.map((part) => line(c, part, `${c.green("✓")} ${verification[part].detail}`)),
    ...verification.signers.map((key) => line(c, "signer", signerText(key, owners))),
  ];
}

function policyText({ policy }: Replayed, root: string, c: Colour): string {
  const digest = policy.digest.slice(0, 12);
  if (policy.source !== null) return `${shownPath(policy.source, root)} (${digest})`;
  return c.yellow(`none of yours: the built-in one (${digest}), which let exactly the recorded commands run`);
}

function sideText(runs: readonly VerificationResult[]): string {
  const words = { passed: "passed", failed: "failed", timed_out: "ran into the time limit" } as const;
  const outcomes = (Object.keys(words) as (keyof typeof words)[]).flatMap((outcome) => {
    const n = runs.filter((run) => run.outcome === outcome).length;
    return n === 0 ? [] : [`${n} ${words[outcome]}`];
  });
  return `${count(runs.length, "run")}: ${outcomes.join(", ")}`;
}

function fixedText({ fixed }: ReplayClaim): string {
  const all = [...fixed.values()].reduce((sum, ids) => sum + ids.length, 0);
  return `${count(all, "recorded test")} to be fixed again`;
}

function minimalText({ units, tried, needless, unsteady }: RemovalsTried): string {
  const passed = needless.length + unsteady.length;
  const all = tried === units ? `all ${count(units, "removal")}` : `${tried} of ${count(units, "removal")}`;
  return `${all} tried, ${passed === 0 ? "none passes" : `${passed} passed`}`;
}

function next(replayed: Replayed, builtIn: boolean, summary: SignedSummary | null): string[] {
  const { result, checked } = replayed;
  const again: Readonly<Record<string, string>> = {
    base_differs:
      "check out the commit the proof was made of, and name it with --cwd; --leave-out for stray files",
    flaky: "look closer with --repeat",
    timed_out: "give more time: policy.limits.per_command_timeout_sec",
    base_cut_off: "give the time the prover gave: policy.limits.per_command_timeout_sec",
    budget_exhausted: "give more time: policy.limits.session_sec",
    sandbox_differs: "replay in the recorded image: --image",
    tests_unknown: "see that the command writes its report here; nothing else says which tests are fixed",
    no_certificate: "leave out --check-minimal, or have the proof made with more minimization",
    not_minimal: "have the proof made again: the lines named are not needed",
  };
  const said = callLeavingOut(result.differences, replayed.checkout) ?? again[result.reason];
  if (said !== undefined) return [said];
  if (result.verdict === "contradicted") return ["do not merge this patch on the word of this bundle"];
  if (builtIn) return ["say yourself what may run: --policy FILE"];
  if (result.verdict === "confirmed" && checked.verification === null) {
    return ["check who signed it: --key or --trust"];
  }
  if (summary !== null) {
    return [
      "hand out the summary with the bundle: it says what was replayed, by whom and under which policy",
    ];
  }
  return [];
}
