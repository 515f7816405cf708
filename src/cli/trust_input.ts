import { type DocumentProblem, showProblem } from "../document/problem.ts";
import { MAX_DOCUMENT_LENGTH } from "../document/read.ts";
import { parseTrust, type TrustFile } from "../sign/trust_file.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath } from "../vocabulary/printable.ts";
import { readBoundedFile } from "./bounded_file.ts";

interface LoadedTrust {
  readonly trust: TrustFile;
  readonly text: string;
  /** Permission bits of the file; null where there are none. */
  readonly mode: number | null;
}

/**
 * Reads a trust file.
 * @throws Failure `file_missing` (usage), `file_unreadable` (denied), `trust_malformed` with every problem in its details
 */
export async function loadTrust(path: string): Promise<LoadedTrust> {
  const { text, mode } = await readTrustText(path);
  const parsed = parseTrust(text, path);
  if (!parsed.ok) throw trustMalformed(path, parsed.problems);
  return { trust: parsed.trust, text, mode };
}

/** The text of a trust file and its permission bits. @throws Failure as `loadTrust` */
export async function readTrustText(path: string): Promise<{ text: string; mode: number | null }> {
  const { bytes, mode } = await readBoundedFile(path, MAX_DOCUMENT_LENGTH, "trust file").catch((error) => {
    if (!(error instanceof Failure) || error.code !== "file_missing") throw error;
    throw new Failure(error.kind, error.code, error.message, { hint: "pp trust init FILE writes one" });
  });
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), mode };
  } catch {
    throw trustMalformed(path, [{ path: "", line: null, column: null, message: "not valid UTF-8" }]);
  }
}

function trustMalformed(path: string, problems: readonly DocumentProblem[]): Failure {
  const shown = printablePath(path);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new Failure("malformed", "trust_malformed", `${shown}: ${count}`, {
    details: problems.map((problem) => printableLine(showProblem(shown, problem))),
    hint: "docs/formats.md says what a trust file holds",
  });
}
