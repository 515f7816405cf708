import { type Command, Option } from "commander";
import { resolve } from "node:path";
import { Failure } from "../vocabulary/failure.ts";

/** Of verbs that look at a checkout: `--cwd`, and `--workspace` as other verbs call it. */
export interface CheckoutFlags {
  readonly cwd?: string;
  readonly workspace?: string;
}

/** Adds both names of the flag; the help shows one. */
export function checkoutFlag(command: Command, about: string): Command {
  return command.option("--cwd <dir>", about)
    .addOption(new Option("--workspace <dir>", "the same as --cwd").hideHelp());
}

/**
 * The folder that a call names, as it was given; undefined when it names none.
 * @throws Failure `folder_twice` (usage) when the two names say different folders
 */
export function checkoutNamed({ cwd, workspace }: CheckoutFlags): string | undefined {
  if (cwd !== undefined && workspace !== undefined && resolve(cwd) !== resolve(workspace)) {
    throw new Failure("usage", "folder_twice", "--cwd and --workspace name different folders", {
      hint: "they mean the same: give one of them",
    });
  }
  return cwd ?? workspace;
}
