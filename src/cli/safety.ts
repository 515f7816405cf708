import { resolve } from "node:path";
import { writeWhole } from "../bundle/pack.ts";
import { loadPolicy, showPolicyFile } from "../policy/load.ts";
import { checkChange, type CheckPorts, scanTree } from "../safety/check.ts";
import { judgeSafety, type SafetyOutcome } from "../safety/judge.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { checkoutNamed } from "./checkout_flag.ts";
import { counter } from "./counter.ts";
import { EXIT } from "./exit_code.ts";
import { onInterrupt } from "./interrupt.ts";
import { bytesText, colour, count } from "./output.ts";
import { changeAsked, treeOf } from "./safety_change.ts";
import { diffDocument, diffText, scanDocument, scanText } from "./safety_report.ts";
import type { SafetyDiffFlags, SafetyFlags } from "./safety_verb.ts";
import { diffSarif, scanSarif } from "./safety_sarif.ts";
import type { VerbResult } from "./verb.ts";
import { wireSafety } from "./wire/syntax.ts";

/** 2 and 3 as everywhere: the answer is no; there is none before a person has said so. */
const EXIT_OF: Readonly<Record<SafetyOutcome, number>> = {
  allowed: EXIT.yes,
  denied: EXIT.no,
  needs_approval: EXIT.noAnswer,
};

/** `pp safety scan`: what the code in some folders and files can do. */
export async function safetyScan(paths: readonly string[], flags: SafetyFlags): Promise<VerbResult> {
  oneFormat(flags);
  const tree = await treeOf(paths.length === 0 ? ["."] : paths);
  const startedAt = performance.now();
  const scan = await withPorts(flags, (ports) => scanTree(tree, null, ports));
  const facts = { scan, elapsedMs: performance.now() - startedAt };
  return await output(flags, EXIT.yes, {
    text: () => scanText(facts, colour(Deno.stdout)),
    json: () => scanDocument(facts),
    sarif: () => scanSarif(scan),
  });
}

/** `pp safety diff`: what a change newly enables, and what the policy says about it. */
export async function safetyDiff(bundle: string | undefined, flags: SafetyDiffFlags): Promise<VerbResult> {
  oneFormat(flags);
  const root = resolve(checkoutNamed(flags) ?? ".");
  const policy = await loadPolicy(Deno.cwd(), flags.policy);
  const quiet = flags.json === true || flags.sarif === true;
  const change = await changeAsked({ bundle, patch: flags.patch, base: flags.base }, root, quiet);
  const check = await withPorts(
    flags,
    (ports) => checkChange(change.base, change.result, ports, change.renames),
  );
  const { additions, deletions } = change.lines;
  const judgement = judgeSafety(
    { delta: check.delta, missingImports: check.missingImports, diffLines: additions + deletions },
    policy.config.policy.safety,
  );
  const source = policy.source === null ? null : showPolicyFile(policy.source);
  const facts = {
    ...{ check, judgement, lines: change.lines, recordedBase: change.recordedBase },
    policy: { source, digest: policy.digest },
  };
  return await output(flags, EXIT_OF[judgement.outcome], {
    text: () => diffText(facts, colour(Deno.stdout)),
    json: () => diffDocument(facts),
    sarif: () => diffSarif(check, judgement),
  });
}

function oneFormat({ json, sarif }: SafetyFlags): void {
  if (json !== true || sarif !== true) return;
  throw new Failure("usage", "format_twice", "--json and --sarif are two formats", {
    hint: "choose one of them",
  });
}

interface Forms {
  readonly text: () => string;
  readonly json: () => unknown;
  readonly sarif: () => unknown;
}

async function output(flags: SafetyFlags, exit: number, forms: Forms): Promise<VerbResult> {
  const { output: file, json, sarif, force } = flags;
  const document = sarif === true ? forms.sarif() : json === true || file !== undefined ? forms.json() : null;
  if (file === undefined) {
    if (sarif === true) return { exit, text: JSON.stringify(document, null, 2), json: document };
    return { exit, text: json === true ? "" : forms.text(), json: document };
  }
  // A file is for programs, unless it says otherwise.
  const asText = sarif !== true && json !== true && !/\.json$/i.test(file);
  const text = asText ? `${forms.text()}\n` : `${JSON.stringify(document, null, 2)}\n`;
  const bytes = new TextEncoder().encode(text);
  await writeWhole(resolve(file), [bytes], force === true);
  const said = `${printablePath(file)} (${bytesText(bytes.length)})`;
  return {
    exit,
    text: said,
    json: { format: "veripatch-safety-output/v1", path: file, size: bytes.length, exit },
  };
}

async function withPorts<T>(flags: SafetyFlags, work: (ports: CheckPorts) => Promise<T>): Promise<T> {
  const shown = counter(flags.json === true);
  const interruption = onInterrupt(shown.say);
  const onFile = (done: number, all: number) => {
    interruption.signal.throwIfAborted();
    shown.show(`scanning: ${done} of ${count(all, "file")}`);
  };
  try {
    return await work({ ...await wireSafety(), onFile });
  } finally {
    shown.end();
    interruption.dispose();
  }
}
