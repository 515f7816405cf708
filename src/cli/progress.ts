import type { SessionEvent } from "../vocabulary/session.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { CLEAR_LINE, columns, isLive, writeStderr } from "./live_line.ts";
import { bytesText, type Colour, colour, count, seconds } from "./output.ts";

/** Shows a session while it runs, on stderr. */
export interface Progress {
  readonly emit: (event: SessionEvent) => void;
  /** A line of its own, above the live one. */
  readonly say: (line: string) => void;
  /** Removes the live line. Idempotent. */
  readonly end: () => void;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const WRAP_OFF = "\x1b[?7l";
const WRAP_ON = "\x1b[?7h";

/** Lines as things happen; on a terminal also one live line with phase and time. Quiet shows nothing. */
export function sessionProgress(options: { quiet: boolean }): Progress {
  const c = colour(Deno.stderr);
  if (options.quiet) {
    return {
      emit: () => {},
      say: (line) => writeStderr(`${printableLine(line)}\n`),
      end: () => {},
    };
  }
  const live = isLive();
  let now = "starting";
  let since = Date.now();
  let frame = 0;
  // An attempt is announced by the first thing that happens in it: often nobody has a further proposal.
  let announced = "";
  const draw = () => {
    const text = `${FRAMES[frame++ % FRAMES.length]} ${now}  ${seconds(Date.now() - since)}`;
    // The terminal cuts what is wider than characters are counted: full-width ones take two columns.
    writeStderr(CLEAR_LINE + WRAP_OFF + c.dim(text.slice(0, columns() - 1)) + WRAP_ON);
  };
  const timer = live ? setInterval(draw, 100) : undefined;
  const line = (text: string) => writeStderr(`${live ? CLEAR_LINE : ""}${text}\n`);
  return {
    emit: (event) => {
      const text = liveText(event);
      if (text !== null) [now, since] = [text, Date.now()];
      if (event.kind === "phase") {
        announced = event.phase === "attempt" ? `attempt  ${event.detail ?? ""}` : "";
      }
      const lasting = lineText(event, c);
      if (lasting !== null && announced !== "") {
        line(c.bold(announced));
        announced = "";
      }
      if (lasting !== null) line(lasting);
      if (live) draw();
    },
    say: (text) => line(printableLine(text)),
    end: () => {
      clearInterval(timer);
      if (live) writeStderr(CLEAR_LINE);
    },
  };
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
      if (event.phase === "minimize" && event.detail !== undefined) return event.detail;
      return PHASE_TEXT[event.phase] + (event.detail === undefined ? "" : ` ${event.detail}`);
    case "target_started":
      return `${event.side === "attempt" ? `attempt ${event.attempt}` : event.side.replace("_", " ")}: ${
        printableLine(event.target)
      }`;
    case "proposal_requested":
      return `attempt ${event.attempt}: waiting for ${printableLine(event.proposer)}`;
    case "minimization_started":
      return `minimizing ${count(event.units, "unit")}`;
    case "wave_finished":
      return `minimizing: wave ${event.wave} (${event.level}), ${count(event.remaining, "unit")} left`;
    default:
      return null;
  }
}

/** The lasting line of an event; null for those shown only live. */
function lineText(event: SessionEvent, c: Colour): string | null {
  switch (event.kind) {
    case "session_started":
      return `${c.bold("session")}  ${event.session}`;
    case "sandbox_opened":
      return `${c.bold("sandbox")}  ${sandboxText(event.backend, event.image)}`;
    case "workspace_streamed":
      return `${c.bold("base")}     ${count(event.files, "file")}, ${bytesText(event.bytes)}, ` +
        `tree ${event.digest.slice(0, 12)}`;
    case "target_finished":
      return indented(targetText(event, c));
    case "phase":
      if (event.phase === "baseline") return c.bold("baseline");
      if (event.phase === "confirm") return c.bold("confirm");
      return null;
    case "proposal_refused": {
      const [first = "", ...more] = `${event.reason}: ${event.detail}`.split("\n").map(printableLine);
      return [indented(`${c.yellow("refused")} ${first}`), ...more.map((m) => indented(`  ${m}`))].join("\n");
    }
    case "protected_left_out":
      return indented(c.yellow(`left out ${printableLine(event.path)}: protected (${event.rule})`));
    case "negative_control":
      return indented(
        event.outcome === "failed"
          ? c.dim("negative control: red, as it should be")
          : c.yellow(`negative control: ${event.outcome.replace("_", " ")}`),
      );
    case "proposal_applied":
      return indented(
        `applied to ${count(event.files, "file")}, ${c.green(`+${event.additions}`)} ${
          c.red(`-${event.deletions}`)
        }`,
      );
    case "wave_finished":
      return indented(c.dim(
        `wave ${event.wave} (${event.level}): ${count(event.remaining, "unit")} left, ${
          count(event.runs, "run")
        }`,
      ));
    case "minimization_started":
      return `${c.bold("minimize")} ${count(event.units, "unit")}`;
    case "minimization_finished":
      return indented(
        `${count(event.remaining, "unit")} left after ${count(event.runs, "run")}` +
          (event.end === "one_minimal" ? "" : c.yellow(` (${event.end.replace("_", " ")})`)),
      );
    default:
      return null;
  }
}

function indented(text: string): string {
  return `         ${text}`;
}

/** Where commands run, for people. */
export function sandboxText(backend: string, image: { name: string; id: string } | null): string {
  if (image === null) return `${backend}: bubblewrap on this host, no container`;
  return `container of ${printableLine(image.name)} (${image.id.replace("sha256:", "").slice(0, 12)})`;
}

function targetText(event: Extract<SessionEvent, { kind: "target_finished" }>, c: Colour): string {
  const mark = { passed: c.green("green"), failed: c.red("red"), timed_out: c.yellow("timed out") };
  const outcome = mark[event.outcome as keyof typeof mark] ?? event.outcome;
  const ended = {
    out_of_memory: ", killed for memory",
    out_of_disk: ", killed for filling the disk",
  }[event.end] ?? (event.exitCode === null ? "" : `, exit ${event.exitCode}`);
  const { report } = event;
  const tests = report === undefined || report.verdict === "good"
    ? ""
    : `, ${report.verdict}: ${printableLine(report.detail)}`;
  const hint = event.end === "exited" ? EXIT_HINT[event.exitCode ?? 0] ?? "" : "";
  return `${outcome} ${printableLine(event.target)}${ended}, ${
    c.dim(seconds(event.durationMs) + hint)
  }${tests}`;
}

/** What a shell or a sandbox means by these. */
const EXIT_HINT: Readonly<Record<number, string>> = {
  126: " (not executable in the sandbox)",
  127: " (program not found in the sandbox)",
};
