/** Middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Milliseconds a piece of work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/**
 * Times several pieces of work in turn (A B C A B C …) after one uncounted round, so that a drifting machine hits
 * them alike.
 * @returns the median milliseconds of each, in the order given
 */
export async function sideBySide(
  rounds: number,
  ...work: readonly (() => Promise<unknown>)[]
): Promise<number[]> {
  return await inTurn(rounds, ...work.map((piece) => () => timed(piece)));
}

/** The same of work that measures itself. @returns the median of each, in the order given */
export async function inTurn(
  rounds: number,
  ...work: readonly (() => Promise<number>)[]
): Promise<number[]> {
  const figures: number[][] = work.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, piece] of work.entries()) {
      const figure = await piece();
      if (round > 0) figures[i]!.push(figure);
    }
  }
  return figures.map(median);
}

/** Milliseconds of processor time, user and system, that a program takes, whatever else the machine does. */
export async function processorTime(argv: readonly string[]): Promise<number> {
  const script = `TIMEFORMAT='%3U %3S'; time "$@" >/dev/null 2>&1`;
  const { stderr, success } = await new Deno.Command("bash", {
    args: ["-c", script, "bash", ...argv],
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "null",
  }).output();
  const spent = /^(\d+\.\d+) (\d+\.\d+)\s*$/.exec(new TextDecoder().decode(stderr));
  if (!success || spent === null) throw new Error(`${argv.join(" ")} could not be measured`);
  return (Number(spent[1]) + Number(spent[2])) * 1000;
}

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  /** Ours to the peer's, or the plain figure the target speaks of. */
  readonly figure: string;
  readonly target: string;
  /** null: a figure that explains another, with no target of its own. */
  readonly met: boolean | null;
}

export function ms(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`;
}

/** Runs a program to its end, output dropped. Throws when it fails. */
export async function program(
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
) {
  const output = await new Deno.Command(argv[0]!, {
    args: argv.slice(1),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).output();
  if (!output.success) throw new Error(`${argv.join(" ")}: ${new TextDecoder().decode(output.stderr)}`);
  return new TextDecoder().decode(output.stdout);
}
