import { stringify } from "yaml";
import { type DocumentProblem, showProblem } from "../document/problem.ts";
import { checkTarget, configuredTargets } from "../policy/commands.ts";
import { policyDigest } from "../policy/digest.ts";
import { findPolicy, loadPolicy, readPolicyText, showPolicyFile } from "../policy/load.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import { loadPreset, PRESETS } from "../policy/presets.ts";
import { protectionOf } from "../policy/protected.ts";
import { PROTECTED_RULES } from "../policy/protected_table.ts";
import { policyJsonSchema } from "../policy/schema.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printable, printableLine } from "../vocabulary/printable.ts";
import { type ReportSource, STDOUT } from "../vocabulary/test_report.ts";
import { EXIT } from "./exit_code.ts";
import type { VerbResult } from "./verb.ts";

export interface PolicyFileCall {
  readonly root: string;
  readonly file?: string | undefined;
}

/**
 * Every problem of a policy file, what its targets would run, and what is odd about it.
 * @returns exit 0, 2 when the policy does not allow one of its own targets, 65 when it is malformed
 * @throws Failure when the file is not there or cannot be read, or when there are several
 */
export async function policyCheck({ root, file }: PolicyFileCall): Promise<VerbResult> {
  const path = file ?? await findPolicy(root);
  if (path === null) {
    return {
      exit: EXIT.yes,
      text: "No policy file here: the built-in default holds (`pp policy show`); `pp init` writes a file.",
      json: checkDocument(null, [], null),
    };
  }
  const shown = printableLine(showPolicyFile(path));
  const parsed = parsePolicy(await readPolicyText(path), path);
  if (!parsed.ok) {
    const lines = parsed.problems.map((problem) => printableLine(showProblem(shown, problem)));
    const count = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
    return {
      exit: EXIT.malformed,
      text: [...lines, `${shown}: ${count}`].join("\n"),
      json: checkDocument(shown, parsed.problems, null),
    };
  }
  const document = checkDocument(shown, [], parsed.config);
  return {
    exit: document.ok ? EXIT.yes : EXIT.no,
    text: [
      ...document.targets.map((target) =>
        printableLine(
          target.refusal === null
            ? `target ${target.name} runs ${JSON.stringify(target.argv)}${
              target.shell ? " (needs a shell)" : ""
            }${reportText(target.report)}`
            : `target ${target.name} may not run: ${target.refusal}`,
        )
      ),
      ...document.warnings.map((warning) => printableLine(`warning: ${warning}`)),
      document.ok ? `${shown}: ok (${document.digest})` : `${shown}: does not allow its own targets`,
    ].join("\n"),
    json: document,
  };
}

/** A policy with every default filled in, as YAML, with where it came from and its digest. */
export async function policyShow(
  { root, file, preset }: PolicyFileCall & { readonly preset?: string | undefined },
): Promise<VerbResult> {
  if (file !== undefined && preset !== undefined) {
    throw new Failure("usage", "policy_twice", "there is a file and a preset to show", {
      hint: "name either a file or --preset NAME",
    });
  }
  let source: string | null;
  let config: PolicyConfig;
  if (preset === undefined) {
    const loaded = await loadPolicy(root, file);
    source = loaded.source === null ? null : showPolicyFile(loaded.source);
    config = loaded.config;
  } else {
    source = `preset ${preset}`;
    config = (await loadPreset(preset)).config;
  }
  const digest = policyDigest(config);
  const head = `# ${
    printableLine(source ?? "built-in default")
  }, every default filled in\n# digest ${digest}\n`;
  return {
    exit: EXIT.yes,
    text: head + printable(stringify(config, { lineWidth: 110 })),
    json: { format: "veripatch-policy/v1", source, digest, config },
  };
}

/**
 * What is protected under a policy: of the paths given, which and by which rule; without paths, the rules.
 * @returns exit 0, or 2 when a patch may not touch one of the paths
 */
export async function policyProtected(
  { root, file, paths }: PolicyFileCall & { readonly paths: readonly string[] },
): Promise<VerbResult> {
  const { config } = await loadPolicy(root, file);
  const { protect } = config.policy;
  const format = "veripatch-protected/v1";
  if (paths.length === 0) {
    const rules = PROTECTED_RULES.map(({ name, about, globs, exactCase = [], freeMembers = null }) => ({
      ...{ rule: name, about, globs: [...globs, ...exactCase], free_members: freeMembers },
    }));
    return {
      exit: EXIT.yes,
      text: [
        ...rules.flatMap((
          { rule, about, globs },
        ) => [`${rule}: ${about}`, ...globs.map((glob) => `  ${glob}`)]),
        ...listed("policy: protect.also", protect.also),
        ...listed("allowed all the same: protect.allow", protect.allow),
        ...(protect.enabled ? [] : ["protect.enabled is false: all of it may be touched, and is flagged"]),
      ].join("\n"),
      json: { format, ...protect, rules },
    };
  }
  const protection = protectionOf(config.policy);
  const found = paths.map((path) => {
    const rule = protection(path);
    return { path, rule: rule?.rule ?? null, about: rule?.about ?? null, allowed: rule?.allowed ?? true };
  });
  return {
    exit: found.every(({ allowed }) => allowed) ? EXIT.yes : EXIT.no,
    text: found.map(({ path, rule, about, allowed }) => {
      const what = rule === null
        ? "not protected"
        : `${allowed ? "allowed, and flagged" : "protected"}: ${about} (${rule})`;
      return printableLine(`${path}: ${what}`);
    }).join("\n"),
    json: { format, paths: found },
  };
}

function listed(title: string, globs: readonly string[]): string[] {
  return globs.length === 0 ? [] : [title, ...globs.map((glob) => printableLine(`  ${glob}`))];
}

/** The JSON Schema of policy files. */
export function policySchemaText(): Promise<VerbResult> {
  const schema = policyJsonSchema();
  return Promise.resolve({ exit: EXIT.yes, text: JSON.stringify(schema, null, 2), json: schema });
}

/** The list of shipped policies, or the text of one. */
export async function policyPresets({ name }: { readonly name?: string | undefined }): Promise<VerbResult> {
  if (name !== undefined) {
    const preset = await loadPreset(name);
    return {
      exit: EXIT.yes,
      text: preset.text,
      json: {
        format: "veripatch-preset/v1",
        name: preset.name,
        about: preset.about,
        text: preset.text,
        config: preset.config,
      },
    };
  }
  return {
    exit: EXIT.yes,
    text: PRESETS.map((preset) => `${preset.name.padEnd(8)}${preset.about}`).join("\n"),
    json: { format: "veripatch-presets/v1", presets: PRESETS },
  };
}

function reportText(report: ReportSource | undefined): string {
  if (report === undefined) return "";
  return `, judged by the ${report.format} report ${
    report.path === STDOUT ? "on its stdout" : `in ${report.path}`
  }`;
}

interface CheckedTarget {
  readonly name: string;
  readonly command: string;
  readonly argv: readonly string[];
  readonly shell: boolean;
  readonly report?: ReportSource;
  /** Null when the policy lets it run. */
  readonly refusal: string | null;
}

function checkDocument(
  source: string | null,
  problems: readonly DocumentProblem[],
  config: PolicyConfig | null,
) {
  const targets = config === null ? [] : checkedTargets(config);
  return {
    format: "veripatch-policy-check/v1",
    ok: problems.length === 0 && targets.every((target) => target.refusal === null),
    source,
    digest: config === null ? null : policyDigest(config),
    problems,
    targets,
    warnings: config === null ? [] : warningsOf(config),
  } as const;
}

function checkedTargets(config: PolicyConfig): CheckedTarget[] {
  const configured = configuredTargets(config);
  // The schema has split every command already.
  if (!configured.ok) throw new Error(configured.refusal.detail);
  return configured.targets.map((target) => ({
    ...target,
    refusal: checkTarget(config, target)?.detail ?? null,
  }));
}

/** What is allowed but rarely meant. */
function warningsOf({ proof_targets, policy }: PolicyConfig): string[] {
  const { limits, attestation } = policy;
  const warnings: string[] = [];
  if (proof_targets.length === 0) warnings.push("no proof_targets: `pp prove` has nothing to prove");
  if (limits.session_sec < limits.per_command_timeout_sec) {
    warnings.push("limits.session_sec ends a session before limits.per_command_timeout_sec ends a command");
  }
  if (policy.network === "allow") warnings.push("network: allow lets the code under test reach the network");
  if (!policy.protect.enabled) {
    warnings.push("protect.enabled is false: a patch may change the tests that judge it; it is only flagged");
  } else if (policy.protect.allow.includes("**")) {
    warnings.push('protect.allow has "**": a patch may change the tests that judge it; it is only flagged');
  }
  const control = policy.verify.negative_control?.targets ?? [];
  const names = configuredTargets({ proof_targets, policy });
  for (const name of control) {
    if (names.ok && names.targets.some((target) => target.name === name)) continue;
    warnings.push(`verify.negative_control.targets names ${JSON.stringify(name)}, which is no proof target`);
  }
  if (policy.secrets.allow_in_patch) warnings.push("secrets.allow_in_patch takes patches that hold secrets");
  // The Python tool's * crossed slashes, so that a rule carried over could deny less than it did.
  for (const glob of policy.deny_write.filter((g) => g.includes("*") && !g.includes("**"))) {
    warnings.push(
      `deny_write ${JSON.stringify(glob)}: * does not cross /; write **/ or /** for deeper files`,
    );
  }
  if (attestation.enabled && attestation.mode === "none") {
    warnings.push("attestation.enabled with mode none signs nothing");
  }
  if (attestation.mode === "ed25519" && attestation.key_file === null) {
    warnings.push("attestation.mode ed25519 without key_file needs the key in the variable key_env names");
  }
  return warnings;
}
