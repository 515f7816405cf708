import { abandonOperation } from "../apply/recover.ts";
import { operationName } from "../store/names.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { EXIT } from "./exit_code.ts";
import { type StoreFlags, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";
import { wireTarget } from "./wire/store.ts";

const MAX_REASON = 500;

/** `pp history abandon`: gives up an operation that was cut off in a folder that is gone for good, or where it cannot be ended. */
export async function abandonHistory(
  name: string,
  flags: StoreFlags & { readonly reason?: string; readonly force?: boolean },
): Promise<VerbResult> {
  const number = operationName(name);
  const reason = flags.reason?.trim() ?? "";
  if (reason === "" || reason.length > MAX_REASON || !reason.isWellFormed()) {
    throw new Failure("usage", "reason_missing", `--reason takes 1 to ${MAX_REASON} characters`, {
      hint: "say what became of the folder",
    });
  }
  return await withStore(flags, false, async ({ store, by }) => {
    const author = () => ({ ...by, now: new Date() });
    const ports = { store, by: author, openFolder: wireTarget };
    const force = flags.force === true;
    const { folder, staging, state, reason: noted } = await abandonOperation(ports, number, reason, force);
    return {
      exit: EXIT.yes,
      text: `O${number}  given up in ${printablePath(folder)}\n` +
        `note     the folder stays as it is, with names that begin with .veripatch-apply-${staging}`,
      json: {
        format: "veripatch-history-abandon/v1",
        operation: `O${number}`,
        ...{ folder, state, reason: noted },
      },
    };
  });
}
