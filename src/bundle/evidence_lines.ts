const TELLING = new RegExp(
  [
    "\\b(assert\\w*|error|errors|failed|failure|failing|fatal|panic(ked)?|exception|traceback|expected|actual)\\b",
    "\\w(Error|Exception)\\b",
    "^\\s*(E\\s|not ok|FAIL|---? FAIL|✗|×|✘)",
  ].join("|"),
  "i",
);
const MOST = 12;
const WIDEST = 300;
/** Beyond this much text only its end is looked at: the verdict of a test run comes last. */
const LOOKED_AT = 200_000;

/**
 * The few lines of a failing command's output that say what failed, in their order, each once; its last lines when
 * none stands out. Bounded in number and width.
 */
export function evidence(output: string): string[] {
  // deno-lint-ignore no-control-regex -- colour codes are the control characters meant
  const plain = output.slice(-LOOKED_AT).replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, "");
  const lines = plain.split("\n").map((line) => line.trimEnd()).filter((line) => line.trim() !== "")
    .map((line) => line.length > WIDEST ? `${line.slice(0, WIDEST)} …` : line);
  const telling = [...new Set(lines.filter((line) => TELLING.test(line)))];
  return telling.length > 0 ? telling.slice(0, MOST) : lines.slice(-MOST);
}
