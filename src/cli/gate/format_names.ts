import { Failure } from "../../vocabulary/failure.ts";
import { printablePath } from "../../vocabulary/printable.ts";

/** How a gate's result can be told. */
export const GATE_FORMATS = ["text", "json", "sarif", "junit", "markdown"] as const;
export type GateFormat = typeof GATE_FORMATS[number];

const ENDINGS: Readonly<Record<string, GateFormat>> = {
  txt: "text",
  json: "json",
  sarif: "sarif",
  xml: "junit",
  md: "markdown",
};

/** The format that a file's name stands for. @throws Failure `output_ending_unknown` (usage) */
export function formatOf(path: string): GateFormat {
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  if (Object.hasOwn(ENDINGS, ending)) return ENDINGS[ending]!;
  const known = Object.keys(ENDINGS).map((name) => `.${name}`).join(", ");
  const message = `the ending of ${printablePath(path)} says no format: known are ${known}`;
  throw new Failure("usage", "output_ending_unknown", message, {
    hint: `say it with --format: ${GATE_FORMATS.join(", ")}`,
  });
}
