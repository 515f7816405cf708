import { z } from "zod";
import { parseRelativePath } from "../vocabulary/path.ts";

const MAX_FILES = 20;
const MAX_TEXT_LENGTH = 65_536;

/** Where no file of a policy is ever laid. */
const ARTIFACTS_DIRECTORY = ".pp-artifacts";

/** The files of a negative control: text by path. Paths are those a patch could write, and none lies below another. */
export const controlFiles = z.record(
  z.string(),
  z.string({ error: "expected the file's text" })
    .max(MAX_TEXT_LENGTH, { error: `must have at most ${MAX_TEXT_LENGTH} characters` })
    .refine((text) => text.isWellFormed(), { error: "must be valid Unicode" }),
  { error: "expected files, such as {tests/test_control.py: text}" },
).superRefine((files, context) => {
  const paths = Object.keys(files);
  const no = (message: string, path?: string) =>
    context.addIssue({ code: "custom", message, path: path === undefined ? [] : [path] });
  if (paths.length === 0) return no("must name at least one file");
  if (paths.length > MAX_FILES) return no(`must have at most ${MAX_FILES} files`);
  const seen = new Map<string, string>();
  for (const path of paths) {
    const parsed = parseRelativePath(path);
    const fault = parsed.ok ? placeFault(path) : parsed.reason.replace("path_", "").replaceAll("_", " ");
    if (fault !== null) no(`no path a file can be laid at: ${fault}`, path);
    const key = path.normalize("NFC").toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) no(`the same as ${JSON.stringify(other)}, as case may not count`, path);
    seen.set(key, path);
  }
  for (const [key, path] of seen) {
    const above = [...seen.keys()].find((other) => key.startsWith(`${other}/`));
    if (above !== undefined) no(`lies below ${JSON.stringify(seen.get(above))}, which is a file`, path);
  }
}, { when: ({ value }) => typeof value === "object" && value !== null && !Array.isArray(value) })
  .meta({ description: "Text of each file by its path.", minProperties: 1, maxProperties: MAX_FILES });

function placeFault(path: string): string | null {
  const top = path.split("/", 1)[0]!.toLowerCase().replace(/[. ]+$/, "");
  if (top === ARTIFACTS_DIRECTORY) return `${ARTIFACTS_DIRECTORY} holds bundles`;
  return /^pp\.(ya?ml|json)$/.test(path.toLowerCase()) ? "it is a policy file" : null;
}
