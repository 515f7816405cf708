import { duration, legend, type Markup, markup, plural, toneOf, words } from "./html.ts";

/** One line of events.jsonl. */
interface ReportEvent {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind: string;
  readonly event: Readonly<Record<string, unknown>>;
}

interface Run {
  readonly from: number;
  readonly to: number;
  readonly outcome: string;
  readonly target: string;
}

interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly runs: Run[];
}

const MAX_SPANS = 200;
const WIDTH = 1000;

/** The session's phases as bars over its time, with every run of a target in them. */
export function timeline(events: readonly ReportEvent[]): Markup {
  const spans = spansOf(events);
  if (spans.length === 0) return markup`<p class="note">No phase was recorded.</p>`;
  const start = spans[0]!.from;
  const total = Math.max(1, ...spans.map((span) => span.to - start));
  const rows = spans.slice(0, MAX_SPANS).map((span) => row(span, start, total));
  const more = spans.length - MAX_SPANS;
  return markup`
    <table class="timeline">
      <caption>What happened when; the bars span ${duration(total)}</caption>
      <thead class="hidden">
        <tr>
          <th scope="col">Phase</th>
          <th scope="col">When</th>
          <th scope="col">Duration</th>
        </tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
    ${
    legend([["good", "a target passed"], ["bad", "it failed"], ["doubt", "it ran out of time"], [
      "calm",
      "other work",
    ]])
  }
    ${
    more > 0 ? markup`<p class="note">${plural(more, "more phase")} in <code>events.jsonl</code>.</p>` : null
  }
  `;
}

function spansOf(events: readonly ReportEvent[]): Span[] {
  const spans: { name: string; from: number; to: number; runs: Run[] }[] = [];
  const started = new Map<string, number>();
  const last = events.at(-1)?.at ?? 0;
  for (const { at, kind, event } of events) {
    const open = spans.at(-1);
    if (kind === "phase") {
      if (open !== undefined) open.to = at;
      const detail = typeof event.detail === "string" ? ` ${event.detail}` : "";
      spans.push({ name: words(String(event.phase)) + detail, from: at, to: last, runs: [] });
    } else if (kind === "target_started") started.set(String(event.target), at);
    else if (kind === "target_finished" && open !== undefined) {
      const target = String(event.target);
      open.runs.push({ from: started.get(target) ?? at, to: at, outcome: String(event.outcome), target });
    }
  }
  return spans.filter((span) => span.to >= span.from);
}

function row(span: Span, start: number, total: number): Markup {
  const x = (at: number) => Math.round((at - start) / total * WIDTH * 10) / 10;
  const bar = (from: number, to: number, tone: string, title: string, y: number, height: number) =>
    markup`
      <rect class="${tone}" x="${x(from)}" y="${y}" width="${
      Math.max(
        2,
        x(to) - x(from),
      )
    }" height="${height}">
        <title>${title}</title>
      </rect>
    `;
  const spoken = span.runs.map((run) => `${run.target} ${words(run.outcome)}`).slice(0, 20).join(", ");
  const label = `${duration(span.from - start)} to ${duration(span.to - start)}${
    spoken === "" ? "" : `: ${spoken}`
  }`;
  const grid = [0, 250, 500, 750, 1000].map((at) =>
    markup`
      <line class="grid" x1="${at}" x2="${at}" y1="0" y2="20" />
    `
  );
  return markup`
    <tr>
      <th scope="row">${span.name}</th>
      <td class="bar">
        <svg viewBox="0 0 ${WIDTH} 20" preserveAspectRatio="none" role="img"
          aria-label="${label}">${grid}${bar(span.from, span.to, "calm", span.name, 4, 12)}${
    span.runs.slice(
      0,
      500,
    ).map((run) => bar(run.from, run.to, toneOf(run.outcome), `${run.target} ${words(run.outcome)}`, 4, 12))
  }</svg>
      </td>
      <td class="num">${duration(span.to - span.from)}</td>
    </tr>
  `;
}

/** Reads events.jsonl, whose lines were checked when the bundle was read; odd ones are left out. */
export function eventsOf(file: Uint8Array): ReportEvent[] {
  return new TextDecoder().decode(file).split("\n").flatMap((line): ReportEvent[] => {
    if (line === "") return [];
    const { at, event } = JSON.parse(line) as { at?: unknown; event?: Record<string, unknown> };
    if (typeof at !== "string" || event === undefined) return [];
    const time = Date.parse(at);
    return Number.isNaN(time) ? [] : [{ at: time, kind: String(event.kind), event }];
  });
}
