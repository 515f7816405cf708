import type { ReadBundle } from "../bundle/read.ts";
import type { TargetResultsDocument, VerifyDocument } from "../bundle/schema.ts";
import { badge, code, duration, Markup, markup, plural, table, words } from "./html.ts";

type TargetRun = TargetResultsDocument["runs"][number]["targets"][number];

/** Runs of one verification whose results are listed. */
const MAX_RUNS = 100;
/** Lines of an output that are shown, from its end; and characters of it that are looked at. */
const OUTPUT_LINES = 60;
const OUTPUT_CHARACTERS = 20_000;

/**
 * How many runs of a verification directory passed, as one line; null where there was none.
 * @param mustFail whether red is what was hoped for
 */
export function runsLine(bundle: ReadBundle, directory: string, mustFail = false): Markup | null {
  const verify = bundle.documents.get(`${directory}/verify.json`) as VerifyDocument | undefined;
  if (verify === undefined) return null;
  const { outcome, passed, runs } = verify;
  const shown = mustFail && outcome === "failed"
    ? markup`<span class="badge good">failed, as it must</span>`
    : badge(outcome);
  return markup`${shown} <span class="muted">${passed} of ${plural(runs.length, "run")} passed</span>`;
}

/** Every target of every run of a verification directory, with the end of what it printed. */
export function runsView(
  bundle: ReadBundle,
  directory: string,
  caption: string,
  open = false,
): Markup | null {
  const results = bundle.documents.get(`${directory}/target_results.json`) as
    | TargetResultsDocument
    | undefined;
  if (results === undefined || results.runs.length === 0) return null;
  const rows = results.runs.slice(0, MAX_RUNS).flatMap(({ run, targets }) =>
    targets.slice(0, MAX_RUNS).map((target) => [
      run,
      target.target,
      badge(target.outcome),
      endOf(target),
      target.result === null ? "" : duration(target.result.duration_ms),
    ])
  );
  const outputs = results.runs[0]!.targets.slice(0, MAX_RUNS).map((target) =>
    outputView(bundle, directory, target, open && target.outcome !== "passed")
  );
  const more = results.runs.length - MAX_RUNS;
  return markup`${table(caption, ["Run", "Target", "Outcome", "End", "Time"], rows)}
${more > 0 ? markup`<p class="note">${plural(more, "more run")} in <code>${directory}</code>.</p>` : null}
${outputs}`;
}

function endOf({ result }: TargetRun): string {
  if (result === null) return "not run";
  return result.end === "exited" ? `exit ${result.exit_code}` : words(result.end);
}

function outputView(
  bundle: ReadBundle,
  directory: string,
  { target, result }: TargetRun,
  open: boolean,
): Markup | null {
  if (result === null) return null;
  const streams = (["stdout", "stderr"] as const).flatMap((name) => {
    const { file, total_bytes, redacted } = result[name];
    const bytes = file === null ? undefined : bundle.files.get(`${directory}/${file}`);
    if (bytes === undefined) return [];
    const { text, cut } = lastLines(bytes);
    const notes = [
      plural(total_bytes, "byte"),
      ...(cut ? ["its end"] : []),
      ...(redacted ? ["secrets struck out"] : []),
    ].join(", ");
    return [markup`
      <figure>
        <figcaption>${name} <span class="muted">${notes}</span></figcaption>
        <pre tabindex="0">${text}</pre>
      </figure>
    `];
  });
  if (streams.length === 0) return null;
  return markup`<details${open ? new Markup(" open") : null}><summary>What ${
    code(target)
  } printed</summary>${streams}</details>`;
}

/** Without colour codes: they are noise here, and whatever else a terminal obeys is made visible later. */
function lastLines(bytes: Uint8Array): { text: string; cut: boolean } {
  const all = new TextDecoder().decode(bytes.subarray(-OUTPUT_CHARACTERS));
  // deno-lint-ignore no-control-regex -- colour codes are the control characters meant
  const lines = all.replaceAll(/\u001b\[[0-9;]*m/g, "").replace(/\n+$/, "").split("\n");
  const shown = lines.slice(-OUTPUT_LINES);
  return { text: shown.join("\n"), cut: shown.length < lines.length || bytes.length > OUTPUT_CHARACTERS };
}
