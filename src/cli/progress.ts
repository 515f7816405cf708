import type { SessionEvent } from "../vocabulary/session.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { type Colour, colour, seconds } from "./output.ts";

/** Shows a session while it runs, on stderr. */
export interface Progress {
  readonly emit: (event: SessionEvent) => void;
  /** A line of its own, above the live one. */
  readonly say: (line: string) => void;
  /** Removes the live line. Idempotent. */
  readonly end: () => void;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const CLEAR_LINE = "\r\x1b[2K";

/** Lines as things happen; on a terminal also one live line with phase and time. Quiet shows nothing. */
export function sessionProgress(options: { quiet: boolean }): Progress {
  const c = colour(Deno.stderr);
  const write = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  if (options.quiet) {
    return {
      emit: () => {},
      say: (line) => write(`${printableLine(line)}\n`),
      end: () => {},
    };
  }
  const startedAt = Date.now();
  const live = Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
  let now = "starting";
  let frame = 0;
  const draw = () => {
    const { columns } = consoleSize();
    const text = `${FRAMES[frame++ % FRAMES.length]} ${now}  ${seconds(Date.now() - startedAt)}`;
    write(CLEAR_LINE + c.dim(text.slice(0, columns - 1)));
  };
  const timer = live ? setInterval(draw, 100) : undefined;
  const line = (text: string) => write(`${live ? CLEAR_LINE : ""}${text}\n`);
  return {
    emit: (event) => {
      now = liveText(event) ?? now;
      const text = lineText(event, c);
      if (text !== null) line(text);
      if (live) draw();
    },
    say: (text) => line(printableLine(text)),
    end: () => {
      clearInterval(timer);
      if (live) write(CLEAR_LINE);
    },
  };
}

function consoleSize(): { columns: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 80 };
  }
}

const PHASE_TEXT = {
  workspace: "streaming the workspace into the sandbox",
  baseline: "running the unpatched base",
  attempt: "attempt",
  minimize: "minimizing",
  confirm: "confirming in new containers",
  bundle: "writing the bundle",
  clean_up: "cleaning up",
} as const;

/** What the live line says from this event on; null leaves it. */
function liveText(event: SessionEvent): string | null {
  switch (event.kind) {
    case "phase":
      return PHASE_TEXT[event.phase] + (event.detail === undefined ? "" : ` ${event.detail}`);
    case "target_started":
      return `${event.side === "attempt" ? `attempt ${event.attempt}` : event.side}: ${
        printableLine(event.target)
      }`;
    case "proposal_requested":
      return `attempt ${event.attempt}: waiting for ${printableLine(event.proposer)}`;
    case "minimization_started":
      return `minimizing ${event.units} units`;
    case "wave_finished":
      return `minimizing: wave ${event.wave} (${event.level}), ${event.remaining} units left, ${event.runs} runs`;
    default:
      return null;
  }
}

/** The lasting line of an event; null for those shown only live. */
function lineText(event: SessionEvent, c: Colour): string | null {
  const mark = { passed: c.green("green"), failed: c.red("red"), timed_out: c.yellow("timed out") };
  switch (event.kind) {
    case "session_started":
      return `${c.bold("session")}  ${event.session}`;
    case "workspace_streamed":
      return `${c.bold("base")}     ${event.files} files, ${bytesText(event.bytes)}, tree ${
        event.digest.slice(0, 12)
      }`;
    case "target_finished": {
      const outcome = mark[event.outcome as keyof typeof mark] ?? event.outcome;
      const exit = event.exitCode === null ? "" : `, exit ${event.exitCode}`;
      return `         ${outcome} ${printableLine(event.target)}${exit} ${c.dim(seconds(event.durationMs))}`;
    }
    case "phase":
      if (event.phase === "baseline") return c.bold("baseline");
      if (event.phase === "attempt") return c.bold(`attempt  ${event.detail ?? ""}`);
      if (event.phase === "confirm") return c.bold("confirm");
      return null;
    case "proposal_refused":
      return `         ${c.yellow("refused")} ${printableLine(`${event.reason}: ${event.detail}`)}`;
    case "proposal_applied":
      return `         applied to ${count(event.files, "file")}, ` +
        `${c.green(`+${event.additions}`)} ${c.red(`-${event.deletions}`)}`;
    case "wave_finished":
      return `         ${
        c.dim(`wave ${event.wave} (${event.level}): ${event.remaining} units left, ${event.runs} runs`)
      }`;
    case "minimization_started":
      return `${c.bold("minimize")} ${count(event.units, "unit")}`;
    case "minimization_finished":
      return `         ${count(event.remaining, "unit")} left after ${count(event.runs, "run")}` +
        (event.end === "one_minimal" ? "" : c.yellow(` (${event.end})`));
    default:
      return null;
  }
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}

/** Bytes for people, in powers of 1024. */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${power === 0 ? bytes : (bytes / 2 ** (10 * power)).toFixed(1)} ${units[power]}`;
}
