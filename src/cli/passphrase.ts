import { Failure, interrupted } from "../vocabulary/failure.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { readBoundedFile } from "./bounded_file.ts";
import { refuseExposed } from "./exposed.ts";

/** Where a passphrase comes from; at most one of them. It is never an argument, which all users of a machine can see. */
export interface PassphraseFlags {
  readonly passphraseFile?: string;
  readonly passphraseEnv?: string;
  /** Ask on the terminal. */
  readonly passphrase?: boolean;
}

const MAX_BYTES = 4_096;
const [CTRL_C, CTRL_D, BACKSPACE, CTRL_U, DELETE] = [0x03, 0x04, 0x08, 0x15, 0x7f];

/**
 * The passphrase that the flags name, or null when they name none.
 * @param prompt what to ask; asked twice when `twice` says so
 * @throws Failure of kind usage, `denied` for a file others can read, `interrupted`; never with the passphrase in it
 */
export async function passphraseOf(
  flags: PassphraseFlags,
  prompt: string,
  twice = false,
): Promise<string | null> {
  const { passphraseFile: file, passphraseEnv: name, passphrase: ask } = flags;
  if ([file !== undefined, name !== undefined, ask === true].filter(Boolean).length > 1) {
    throw new Failure("usage", "passphrase_twice", "there are several places to take the passphrase from", {
      hint: "give one of --passphrase-file, --passphrase-env and --passphrase",
    });
  }
  if (file !== undefined) {
    const { bytes, mode } = await readBoundedFile(file, MAX_BYTES, "passphrase file");
    refuseExposed(file, mode, "passphrase file");
    return usable(textOf(bytes, `the passphrase file ${printablePath(file)}`).replace(/\r?\n$/, ""));
  }
  if (name !== undefined) {
    const value = Deno.env.get(name);
    if (value !== undefined) return usable(value);
    throw new Failure("usage", "variable_missing", `the variable ${printableLine(name)} is not set`);
  }
  if (ask !== true) return null;
  const first = usable(await askHidden(`${prompt}: `));
  if (twice && await askHidden("the same again: ") !== first) {
    throw new Failure("usage", "passphrase_differs", "the two passphrases differ");
  }
  return first;
}

/** Whether somebody is there to be asked. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

function usable(passphrase: string): string {
  if (passphrase !== "") return passphrase;
  throw new Failure("usage", "passphrase_empty", "the passphrase is empty");
}

/** A line from the terminal, not shown while it is typed. */
async function askHidden(prompt: string): Promise<string> {
  if (!canAsk()) {
    throw new Failure("usage", "no_terminal", "there is no terminal to ask for the passphrase", {
      hint: "use --passphrase-file FILE or --passphrase-env NAME",
    });
  }
  const typed: number[] = [];
  Deno.stdin.setRaw(true);
  try {
    await Deno.stderr.write(new TextEncoder().encode(prompt));
    const buffer = new Uint8Array(1);
    while (await Deno.stdin.read(buffer) !== null) {
      const byte = buffer[0]!;
      if (byte === CTRL_C) throw interrupted();
      if (byte === 0x0d || byte === 0x0a || byte === CTRL_D) break;
      if (byte === CTRL_U) typed.length = 0;
      else if (byte === BACKSPACE || byte === DELETE) removeCharacter(typed);
      else if (typed.length < MAX_BYTES) typed.push(byte);
    }
  } finally {
    Deno.stdin.setRaw(false);
    await Deno.stderr.write(new TextEncoder().encode("\n"));
  }
  return textOf(Uint8Array.from(typed), "the passphrase");
}

/** The last character of UTF-8: its continuation bytes go with it. */
function removeCharacter(typed: number[]): void {
  while (typed.length > 0 && (typed.pop()! & 0xc0) === 0x80);
}

function textOf(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Failure("malformed", "passphrase_not_text", `${what} is not valid UTF-8`);
  }
}
