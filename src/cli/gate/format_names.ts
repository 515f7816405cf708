/** How a gate's result can be told. */
export const GATE_FORMATS = ["text", "json", "sarif", "junit", "markdown"] as const;
export type GateFormat = typeof GATE_FORMATS[number];

const ENDINGS: Readonly<Record<string, GateFormat>> = {
  json: "json",
  sarif: "sarif",
  xml: "junit",
  md: "markdown",
};

/** The format that a file's name stands for: text for any ending that says nothing else. */
export function formatOf(path: string): GateFormat {
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  return Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending]! : "text";
}
