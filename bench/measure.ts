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
  const times: number[][] = work.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, piece] of work.entries()) {
      const ms = await timed(piece);
      if (round > 0) times[i]!.push(ms);
    }
  }
  return times.map(median);
}

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  /** Ours to the peer's, or the plain figure the target speaks of. */
  readonly figure: string;
  readonly target: string;
  readonly met: boolean;
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
