import { byteString } from "../patch/bytes.ts";
import { showProblem } from "../document/problem.ts";
import type { Edit } from "../edit/edit.ts";
import { parsePosition } from "../edit/insert_code.ts";
import { MAX_EDITS_FILE, parseEditsFile } from "../proposal/edits_file.ts";
import { MAX_INSTRUCTION } from "../proposal/instruction.ts";
import type { ProposalStep } from "../proposal/steps.ts";
import { providerName } from "../propose/select.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { readFileOrStdin } from "./bounded_file.ts";
import { wholeNumber } from "./number_asked.ts";

/** How a call says what is to be changed. */
export interface SourceFlags {
  readonly patch?: string;
  readonly file?: readonly string[];
  readonly old?: string;
  readonly oldFile?: string;
  readonly new?: string;
  readonly newFile?: string;
  readonly code?: string;
  readonly codeFile?: string;
  readonly at?: string;
  readonly template?: string;
  readonly param?: readonly string[];
  readonly line?: string;
  readonly instruction?: string;
  readonly provider?: string;
  readonly edits?: string;
}

export interface AskedChange {
  readonly steps: readonly ProposalStep[];
  /** What a person asked for; empty where nothing was said. */
  readonly instruction: string;
  /** Of a file of edits. */
  readonly title: string | null;
}

const MAX_PATCH = 16 << 20;
const MAX_CODE = 4 << 20;

/** The flags that each kind of source takes, the one that names it first. */
const KINDS = {
  "--edits": ["edits"],
  "--template": ["template", "file", "param", "line"],
  "--instruction": ["instruction", "file", "provider", "patch"],
  "--patch": ["patch"],
  "--old": ["old", "oldFile", "new", "newFile", "file"],
  "--code": ["code", "codeFile", "file", "at"],
} as const;
type Kind = keyof typeof KINDS;

const SOURCE_FLAGS = [...new Set(Object.values(KINDS).flat())] as readonly (keyof SourceFlags)[];

/**
 * What a call wants to change. Files are read; nothing else is done.
 * @throws Failure `change_missing`, `change_twice`, `flag_not_here` … (usage), `edits_malformed` with every problem
 */
export async function stepsAsked(flags: SourceFlags): Promise<AskedChange> {
  const kind = kindOf(flags);
  const steps = async (): Promise<Pick<AskedChange, "steps" | "title">> => {
    switch (kind) {
      case "--edits":
        return await fromEditsFile(flags.edits!);
      case "--patch":
        return { steps: [await patchOf(flags.patch!)], title: null };
      case "--instruction": {
        const instruction = instructionOf(flags.instruction!);
        if (flags.patch !== undefined) providerName(flags.provider, true, {});
        const step: ProposalStep = flags.patch === undefined
          ? { kind: "instruction", instruction, files: flags.file ?? [] }
          : await patchOf(flags.patch);
        return { steps: [step], title: null };
      }
      default:
        return { steps: [{ kind: "edits", edits: [await editOf(kind, flags)] }], title: null };
    }
  };
  const made = await steps();
  const asked = made.steps.flatMap((step) => step.kind === "instruction" ? [step.instruction] : []);
  const instruction = flags.instruction ?? asked.join("\n\n");
  return { ...made, instruction };
}

function kindOf(flags: SourceFlags): Kind {
  const given = (name: keyof SourceFlags) => flags[name] !== undefined;
  const found: Kind[] = [];
  if (given("edits")) found.push("--edits");
  if (given("template")) found.push("--template");
  if (given("instruction")) found.push("--instruction");
  else if (given("patch")) found.push("--patch");
  if (given("old") || given("oldFile") || given("new") || given("newFile")) found.push("--old");
  if (given("code") || given("codeFile")) found.push("--code");
  const [kind] = found;
  if (kind === undefined) {
    throw new Failure("usage", "change_missing", "there is nothing to propose", {
      hint: "give --patch FILE, --old and --new, --code and --at, --template, --instruction or --edits FILE",
    });
  }
  if (found.length > 1) {
    throw new Failure(
      "usage",
      "change_twice",
      `${found.join(" and ")} are two ways to say what is to change`,
      {
        hint: "give one of them; --edits FILE takes several changes at once",
      },
    );
  }
  const allowed: readonly string[] = KINDS[kind];
  const surplus = SOURCE_FLAGS.find((name) => given(name) && !allowed.includes(name));
  if (surplus === undefined) return kind;
  const flag = `--${surplus.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new Failure("usage", "flag_not_here", `${flag} says nothing beside ${kind}`, {
    hint: "pp propose --help says what goes together",
  });
}

async function editOf(kind: Kind, flags: SourceFlags): Promise<Edit> {
  const file = oneFile(kind, flags.file);
  switch (kind) {
    case "--template": {
      const line = flags.line === undefined ? {} : { line: wholeNumber("--line", flags.line, 1) };
      return { kind: "template", template: flags.template!, file, parameters: parametersOf(flags), ...line };
    }
    case "--old": {
      const old = await codeOf("old", flags.old, flags.oldFile);
      return { kind: "replace", file, old, new: await codeOf("new", flags.new, flags.newFile) };
    }
    default: {
      const code = await codeOf("code", flags.code, flags.codeFile);
      if (flags.at === undefined) return { kind: "create", file, code };
      const position = parsePosition(flags.at);
      if (position !== undefined) return { kind: "insert", file, position, code };
      const message = "--at takes start, end, before:ANCHOR or after:ANCHOR";
      throw new Failure("usage", "place_malformed", message, {
        hint: "ANCHOR is line:12, symbol:Class.method, or the text of a whole line",
      });
    }
  }
}

function oneFile(kind: Kind, files: readonly string[] = []): string {
  if (files.length === 1) return files[0]!;
  throw new Failure(
    "usage",
    files.length === 0 ? "file_unsaid" : "file_twice",
    files.length === 0 ? `${kind} needs --file PATH` : `${kind} edits one file; ${files.length} are named`,
    { hint: "name the file as it is called in the version; --edits FILE changes several at once" },
  );
}

function parametersOf({ param = [] }: SourceFlags): Readonly<Record<string, string>> {
  const pairs = param.map((text) => {
    const equals = text.indexOf("=");
    if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)] as const;
    throw new Failure("usage", "parameter_malformed", `--param takes name=value, not ${printableLine(text)}`);
  });
  const names = new Set(pairs.map(([name]) => name));
  if (names.size < pairs.length) {
    throw new Failure("usage", "parameter_twice", "a parameter of the template is given twice");
  }
  return Object.fromEntries(pairs);
}

function instructionOf(text: string): string {
  if (text.trim() !== "" && text.length <= MAX_INSTRUCTION && text.isWellFormed()) return text;
  throw new Failure(
    "usage",
    "instruction_malformed",
    `an instruction has 1 to ${MAX_INSTRUCTION} characters`,
  );
}

async function patchOf(file: string): Promise<ProposalStep> {
  const text = byteString(await readFileOrStdin(file, MAX_PATCH, "patch"));
  return { kind: "patch", text, name: file === "-" ? "standard input" : file };
}

async function fromEditsFile(file: string): Promise<Pick<AskedChange, "steps" | "title">> {
  const shown = file === "-" ? "standard input" : printablePath(file);
  const bytes = await readFileOrStdin(file, MAX_EDITS_FILE, "file of edits");
  const malformed = (details: readonly string[]) =>
    new Failure("malformed", "edits_malformed", `${shown}: cannot be read as edits`, {
      details,
      hint: "pp help proposals says what a file of edits holds",
    });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed(["not valid UTF-8"]);
  }
  const parsed = parseEditsFile(text, file);
  if (!parsed.ok) {
    throw malformed(parsed.problems.map((problem) => printableLine(showProblem(shown, problem))));
  }
  return parsed;
}

/** Code given as text or in a file, exactly one of both. */
async function codeOf(flag: string, text: string | undefined, file: string | undefined): Promise<string> {
  if (text !== undefined && file === undefined) return text;
  if (text === undefined && file !== undefined) {
    const bytes = await readFileOrStdin(file, MAX_CODE, `code for --${flag}-file`);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Failure("malformed", "code_not_text", `${printablePath(file)} is not UTF-8 text`);
    }
  }
  const message = text === undefined
    ? `--${flag} or --${flag}-file is missing`
    : `--${flag} and --${flag}-file are the same thing`;
  throw new Failure("usage", text === undefined ? "code_missing" : "code_twice", message);
}
