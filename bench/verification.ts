import { dockerRun, freeze, PYTEST, withSmallProject } from "./base.ts";
import type { RelativePath } from "../src/vocabulary/path.ts";
import { median, ms, program, type Row, timed } from "./measure.ts";

const ROUNDS = 15;
const CHANGED = "test_one.py" as RelativePath;
const CONTENT = new TextEncoder().encode("def test_one():\n    assert 1 + 2 == 3\n");
const EXEC = { timeoutMs: 60_000, outputBytes: 65_536 };

/** A verification in a pristine container from the pool, beside a warm container and beside `docker run --rm -v`. */
export async function verification(host: string): Promise<Row[]> {
  return await withSmallProject(async (directory) => {
    await Deno.chmod(directory, 0o755);
    const base = await freeze(directory, host, 2);
    try {
      const warm = await base.checkout([]);
      const change = { kind: "write", path: CHANGED, mode: "100644", bytes: CONTENT } as const;
      const settle = () => new Promise((resolve) => setTimeout(resolve, 1200));
      const runWarm = async () => {
        await warm.exec(PYTEST, EXEC);
      };
      const runPristine = async () => {
        const copy = await base.checkout([change]);
        await copy.exec(PYTEST, EXEC);
        // Thrown away in the background, as a session does.
        void copy.discard();
      };
      const runDocker = async () => {
        await program([...dockerRun(directory), ...PYTEST], { env: { DOCKER_HOST: host } });
      };
      // The pool refills while others work; here nothing else does, so each round lets it.
      const times: number[][] = [[], [], []];
      for (let round = 0; round <= ROUNDS; round++) {
        for (const [i, work] of [runWarm, runPristine, runDocker].entries()) {
          await settle();
          const time = await timed(work);
          if (round > 0) times[i]!.push(time);
        }
      }
      const [warmMs, pristineMs, dockerMs] = times.map(median) as [number, number, number];
      await warm.discard();
      const overhead = pristineMs - warmMs;
      const peerOverhead = dockerMs - warmMs;
      return [
        {
          what: "pytest on a changed file in a pristine container from the ready pool",
          ours: ms(pristineMs),
          peer: `${ms(warmMs)} in a warm container`,
          figure: `+${Math.round(overhead)} ms`,
          target: "at most +100 ms",
          met: overhead <= 100,
        },
        {
          what: "its overhead",
          ours: `+${Math.round(overhead)} ms`,
          peer: `+${Math.round(peerOverhead)} ms for docker run --rm -v`,
          figure: (overhead / peerOverhead).toFixed(2),
          target: "at most 0.33",
          met: overhead / peerOverhead <= 1 / 3,
        },
      ];
    } finally {
      await base.close();
    }
  });
}
