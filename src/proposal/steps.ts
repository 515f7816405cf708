import type { Edit, EditBase, EditRefused, MadePatch } from "../edit/edit.ts";
import { byteStringOfText } from "../patch/bytes.ts";
import type { BaseFiles } from "../prove/base_files.ts";
import { readOver } from "../prove/read_over.ts";
import { sha256 } from "../vocabulary/digest.ts";
import type { ByteString, Patch, Refusal } from "../vocabulary/patch.ts";
import {
  answerInstruction,
  type Instruction,
  type InstructionPlan,
  type InstructionPorts,
} from "./instruction.ts";
import type { StoredWorkspace } from "./version_workspace.ts";
import { type ProposedChange, WorkingTree } from "./working_tree.ts";

/** Steps of one proposal. */
export const MAX_STEPS = 200;

/** One way to say what is to be changed. Several are taken in order, each on what those before it left. */
export type ProposalStep =
  /** A diff, SEARCH/REPLACE blocks or whole files, as people and models write them. `name` is said of it. */
  | { readonly kind: "patch"; readonly text: ByteString; readonly name: string }
  | { readonly kind: "edits"; readonly edits: readonly Edit[] }
  | { readonly kind: "instruction" } & Instruction;

export interface StepPorts extends Omit<InstructionPorts, "proposer" | "asking"> {
  /** `makePatch` with its ports. */
  readonly edit: (edits: readonly Edit[], base: EditBase) => Promise<MadePatch | EditRefused>;
  /** Asked for instructions; made when the first one comes. */
  readonly proposer: () => Promise<InstructionPorts["proposer"]>;
  readonly asking?: (step: number, of: number, attempt: number) => void;
}

/** How one step became a patch: plain JSON, without what the patch holds anyway. */
export type ToldStep = Readonly<Record<string, unknown>>;

export type Made =
  | { readonly ok: true; readonly change: ProposedChange; readonly steps: readonly ToldStep[] }
  | {
    readonly ok: false;
    /** 0-based; null when it is about all of them together. */
    readonly step: number | null;
    readonly refusal: Refusal & { readonly places?: readonly number[] };
  };

type Stepped =
  | { readonly ok: true; readonly patch: Patch; readonly told: ToldStep }
  | { readonly ok: false; readonly refusal: Refusal & { readonly places?: readonly number[] } };

/**
 * Makes the one canonical patch that some steps come to.
 * @returns or the first step that cannot be taken, and why; nothing was written anywhere
 * @throws Failure as `answerInstruction`
 */
export async function makeChange(
  steps: readonly ProposalStep[],
  base: StoredWorkspace,
  plan: InstructionPlan,
  ports: StepPorts,
): Promise<Made> {
  const tree = new WorkingTree(base);
  const told: ToldStep[] = [];
  for (const [index, step] of steps.entries()) {
    ports.signal.throwIfAborted();
    const taken = await take(step, tree.files, plan, {
      ...ports,
      asking: (attempt: number) => ports.asking?.(index + 1, steps.length, attempt),
    });
    if (!taken.ok) return { ok: false, step: index, refusal: taken.refusal };
    told.push(taken.told);
    const refusal = await tree.apply(taken.patch);
    if (refusal !== null) return { ok: false, step: index, refusal };
  }
  const change = await tree.change();
  if (!change.ok) return { ok: false, step: null, refusal: change.refusal };
  return { ok: true, change: change.value, steps: told };
}

type TakePorts = Omit<StepPorts, "asking"> & { readonly asking: (attempt: number) => void };

async function take(
  step: ProposalStep,
  files: BaseFiles,
  plan: InstructionPlan,
  ports: TakePorts,
): Promise<Stepped> {
  switch (step.kind) {
    case "patch":
      return await takePatch(step, files);
    case "edits":
      return await takeEdits(step.edits, files, ports.edit);
    case "instruction":
      return await takeInstruction(step, files, plan, ports);
  }
}

async function takePatch(
  { text, name }: Extract<ProposalStep, { kind: "patch" }>,
  files: BaseFiles,
): Promise<Stepped> {
  const resolved = await readOver(text, files);
  if (!resolved.ok) return resolved;
  return { ok: true, patch: resolved.patch, told: { kind: "patch", name, notes: resolved.notes } };
}

async function takeEdits(
  edits: readonly Edit[],
  files: BaseFiles,
  make: StepPorts["edit"],
): Promise<Stepped> {
  const read = async (path: string) => {
    await files.load([path]);
    return files.read(path);
  };
  const made = await make(edits, { entries: files.entries, read });
  if (!made.ok) return made;
  const told = edits.map((edit, index) => ({
    ...toldEdit(edit),
    notes: made.notes.filter((note) => note.edit === index).map(({ note, path }) => ({ note, path })),
  }));
  return { ok: true, patch: made.patch, told: { kind: "edits", edits: told } };
}

/** An edit without its code: of that, what it would be known by. */
function toldEdit(edit: Edit): ToldStep {
  const digest = (text: string) => sha256(new TextEncoder().encode(text));
  switch (edit.kind) {
    case "replace":
      return { kind: "replace", file: edit.file, old_sha256: digest(edit.old), new_sha256: digest(edit.new) };
    case "insert":
      return { kind: "insert", file: edit.file, position: edit.position, code_sha256: digest(edit.code) };
    case "create":
      return { kind: "create", file: edit.file, code_sha256: digest(edit.code) };
    case "template":
      return {
        ...{ kind: "template", file: edit.file, template: edit.template, parameters: edit.parameters },
        line: edit.line ?? null,
      };
  }
}

async function takeInstruction(
  asked: Instruction,
  files: BaseFiles,
  plan: InstructionPlan,
  ports: TakePorts,
): Promise<Stepped> {
  const proposer = await ports.proposer();
  const answer = await answerInstruction(asked, files, plan, { ...ports, proposer });
  if (!answer.ok) return answer;
  const { admitted, source, rationale, riskNotes, confidence, attempts, leftOut } = answer;
  return {
    ok: true,
    patch: admitted.patch,
    told: {
      ...{ kind: "instruction", instruction: asked.instruction, files: asked.files },
      ...{ provider: proposer.name, source, rationale, risk_notes: riskNotes, confidence, attempts },
      ...{ notes: admitted.notes, left_out: leftOut },
    },
  };
}

/** The text of a patch that a file of edits holds. */
export function patchStep(text: string, name: string): ProposalStep {
  return { kind: "patch", text: byteStringOfText(text), name };
}
