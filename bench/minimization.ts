import { minimize, type UnitSet } from "../src/minimize/minimize.ts";
import { diffFiles } from "../src/patch/diff.ts";
import { splitPatch } from "../src/patch/units.ts";
import { freeze, withSmallProject } from "./base.ts";
import { ms, program, type Row, timed } from "./measure.ts";

/** Container runs two typical minimizations need, and what running a wave side by side saves. */
export async function minimization(host: string): Promise<Row[]> {
  const twenty = await runsFor(twentyLines(), (kept) => kept.includes(9));
  const hundred = await runsFor(flat(100), (kept) => [13, 57, 88].every((unit) => kept.includes(unit)));
  const waiting = await waveTimes(host, ["sleep", "0.5"]);
  const computing = await waveTimes(host, spin(0.5));
  const longer = await waveTimes(host, spin(2));
  const bare = await bareTimes(spin(0.5));
  return [
    runsRow("runs for a 20-line patch with one needed hunk", twenty, 12),
    runsRow("runs for 100 units of which 3 are needed", hundred, 60),
    waveRow("24 units, runs that wait 0.5 s, two at once", waiting),
    { ...waveRow("24 units, runs that compute 0.5 s, two at once", computing), ...FLOOR },
    { ...waveRow("24 units, runs that compute 2 s, two at once", longer), ...FLOOR },
    { ...waveRow("24 plain processes that compute 0.5 s, two at once", bare), ...FLOOR },
  ];
}

/** How much two computing at once save is the machine's to say: the last row of these. */
const FLOOR = { target: "", met: null } as const;

function waveRow(what: string, [one, two]: readonly [number, number]): Row {
  return {
    what,
    ours: ms(two),
    peer: `${ms(one)} one at a time`,
    figure: (two / one).toFixed(2),
    target: "at most 0.65",
    met: two / one <= 0.65,
  };
}

function runsRow(what: string, runs: number, most: number): Row {
  return { what, ours: `${runs}`, peer: "", figure: `${runs}`, target: `at most ${most}`, met: runs <= most };
}

/** Ten changed lines in ten hunks: 20 atoms, -/+ each. */
function twentyLines(): UnitSet {
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i}\n`);
  const text = (all: readonly string[]) => ({
    mode: "100644" as const,
    bytes: new TextEncoder().encode(all.join("")),
  });
  const changed = lines.map((line, i) => i % 10 === 5 ? `changed ${i}\n` : line);
  const path = "a.txt" as Parameters<typeof diffFiles>[0][number]["oldPath"];
  const patch = diffFiles([{ oldPath: path, old: text(lines), newPath: path, new: text(changed) }]);
  return splitPatch(patch, () => text(lines)).units;
}

function flat(atoms: number): UnitSet {
  const singles = Array.from({ length: atoms }, (_, i) => [i]);
  return { atoms, levels: [{ level: "line", groups: singles }], requires: singles.map(() => []) };
}

async function runsFor(units: UnitSet, passes: (kept: readonly number[]) => boolean): Promise<number> {
  const result = await minimize({
    units,
    test: (kept) => Promise.resolve(passes(kept) ? "passes" : "fails"),
    key: (kept) => kept.join(),
    parallel: 2,
    maxRuns: 10_000,
    maxMs: 60_000,
    now: Date.now,
    signal: new AbortController().signal,
  });
  return result.runs;
}

function spin(seconds: number): string[] {
  const code = `import time
t = time.process_time()
while time.process_time() - t < ${seconds}: pass`;
  return ["python3", "-c", code];
}

/** Plain processes, without containers and without us, one and two at a time, in milliseconds. */
async function bareTimes(command: readonly string[]): Promise<[number, number]> {
  const all = (parallel: number) =>
    timed(async () => {
      for (let i = 0; i < 24; i += parallel) {
        await Promise.all(Array.from({ length: parallel }, () => program(command)));
      }
    });
  return [await all(1), await all(2)];
}

/** The same minimization in real containers, one and two runs at a time, in milliseconds. */
async function waveTimes(host: string, command: readonly string[]): Promise<[number, number]> {
  return await withSmallProject(async (directory) => {
    const once = async (parallel: number) => {
      const base = await freeze(directory, host, parallel);
      try {
        // A session has run its baseline before it gets here, and the pool is as full as it will be.
        const baseline = await base.checkout([]);
        await baseline.exec(["false"], { timeoutMs: 60_000, outputBytes: 4096 });
        await baseline.discard();
        await new Promise((resolve) => setTimeout(resolve, 2000));
        return await timed(() =>
          minimize({
            units: flat(24),
            test: async (kept) => {
              const copy = await base.checkout([]);
              const { exitCode } = await copy.exec(command, { timeoutMs: 60_000, outputBytes: 4096 });
              void copy.discard();
              return exitCode === 0 && kept.includes(3) && kept.includes(17) ? "passes" : "fails";
            },
            key: (kept) => kept.join(),
            parallel,
            maxRuns: 1000,
            maxMs: 600_000,
            now: Date.now,
            signal: new AbortController().signal,
          })
        );
      } finally {
        await base.close();
      }
    };
    return [await once(1), await once(2)];
  });
}
