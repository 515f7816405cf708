import type { GateResult } from "../../verify/gate.ts";
import type { GateFormat } from "./format_names.ts";
import { gateJson } from "./json.ts";
import { gateJunit } from "./junit.ts";
import { gateMarkdown } from "./markdown.ts";
import { gateSarif } from "./sarif.ts";
import { gateText } from "./text.ts";

/** A gate's result and how it was called. */
export interface GateReport {
  readonly result: GateResult;
  readonly exit: number;
  /** As named by the caller. */
  readonly bundle: string;
  readonly names: { readonly base: string; readonly head: string };
  /** Whose a key is, by its id. */
  readonly owners: ReadonlyMap<string, string>;
}

/** The whole document, with a line feed at its end. */
export function rendered(report: GateReport, format: GateFormat): string {
  switch (format) {
    case "text":
      return gateText(report);
    case "json":
      return `${JSON.stringify(gateJson(report), null, 2)}\n`;
    case "sarif":
      return `${JSON.stringify(gateSarif(report), null, 2)}\n`;
    case "junit":
      return gateJunit(report);
    case "markdown":
      return gateMarkdown(report);
  }
}
