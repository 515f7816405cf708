import { PP } from "./process.ts";

const UTF8 = { LC_ALL: "C.UTF-8" };
const EVERY_MS = 60;
/** Guards against a hang, far beyond what anything here takes. */
const PATIENCE_MS = 90_000;

/** A shell in a real terminal that runs one program and then prints `EXIT:` and its code. */
export interface Terminal {
  /** What is on the screen and above it; with `colours`, with its escape sequences. */
  screen(colours?: boolean): Promise<string>;
  /** Sends keys as tmux names them. */
  keys(...names: string[]): Promise<void>;
  /** Gives the terminal another size. */
  resize(columns: number, rows: number): Promise<void>;
  /** Whether the other screen is shown and whether the cursor is, as `0 1`. */
  mode(): Promise<string>;
  /** Looks often until the screen matches; `seen` gets every screen on the way. */
  until(pattern: RegExp, seen?: (screen: string) => void): Promise<string>;
}

export interface TerminalCall {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly columns: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What is run with `args`; `pp` unless said. */
  readonly program?: readonly string[];
}

/** Starts a tmux server of its own, and ends it by its name. */
export async function withTerminal(
  call: TerminalCall,
  use: (terminal: Terminal) => Promise<void>,
): Promise<void> {
  const socket = `pp-${crypto.randomUUID()}`;
  // The server leaves its socket behind, so it gets a folder of its own.
  const folder = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  const tmux = async (...args: string[]) => {
    const command = new Deno.Command("tmux", {
      args: ["-u", "-L", socket, "-f", "/dev/null", ...args],
      env: { ...UTF8, TMUX_TMPDIR: folder },
    });
    const { success, stdout, stderr } = await command.output();
    if (!success) throw new Error(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  };
  const unset = ["NO_COLOR", "FORCE_COLOR"].flatMap((name) => ["-u", name]);
  const settings = Object.entries(call.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const words = ["env", ...unset, ...settings, ...call.program ?? PP, ...call.args].map(quoted).join(" ");
  const screen = async (colours = false) =>
    await tmux("capture-pane", "-p", "-S", "-1000", ...(colours ? ["-e"] : []));
  try {
    await tmux(
      ...["new-session", "-d", "-x", String(call.columns), "-y", String(call.rows ?? 50), "-c", call.cwd],
      `trap : INT; ${words}; echo "EXIT:$?"; exec sleep 600`,
    );
    await use({
      screen,
      resize: async (columns, rows) =>
        void await tmux("resize-window", "-x", String(columns), "-y", String(rows)),
      mode: async () => (await tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}")).trim(),
      keys: async (...names) => void await tmux("send-keys", ...names),
      until: async (pattern, seen) => {
        for (const end = Date.now() + PATIENCE_MS;;) {
          const now = await screen();
          seen?.(now);
          if (pattern.test(now)) return now;
          if (Date.now() > end) throw new Error(`never saw ${pattern} on:\n${now}`);
          await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
        }
      },
    });
  } finally {
    await tmux("kill-server");
    await Deno.remove(folder, { recursive: true });
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
