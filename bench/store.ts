import { median, ms, program, type Row, sideBySide, timed } from "./measure.ts";
import { fromCheckout } from "../tools/pp.ts";
import { makeTree } from "./streaming.ts";

const CHILD = fromCheckout("bench/store_child.ts");
const FIRST_ROUNDS = 3;
const SECOND_ROUNDS = 7;

interface Report {
  readonly milliseconds: number;
  readonly peakBytes: number;
  readonly read: number;
}

/** Versions of a large workspace beside git on the same tree, and the memory of the process that makes them. */
export async function store(): Promise<Row[]> {
  const root = await Deno.makeTempDir({ prefix: "veripatch-bench-" });
  try {
    const [small, large, git] = [`${root}/small`, `${root}/large`, `${root}/git`];
    await makeTree(small, 5_000, 50);
    await makeTree(large, 50_000, 500);
    const reports: Report[] = [];
    const ours = async (directory: string, place: string) => {
      reports.push(JSON.parse(await program([...CHILD, directory, place])) as Report);
    };
    const remove = (path: string) => Deno.remove(path, { recursive: true }).catch(() => {});
    const gitOn = (...args: readonly string[]) =>
      program(["git", "-c", "core.bare=false", `--git-dir=${git}`, `--work-tree=${large}`, ...args]);
    await ours(small, `${root}/small-store`);
    const smallPeak = reports.pop()!.peakBytes;
    const first: number[] = [], add: number[] = [];
    for (let round = 0; round < FIRST_ROUNDS; round++) {
      await remove(`${root}/store`);
      await ours(large, `${root}/store`);
      first.push(reports.at(-1)!.milliseconds);
      await remove(git);
      await program(["git", "init", "--quiet", "--bare", git]);
      add.push(await timed(() => gitOn("add", "--all")));
    }
    const peak = Math.max(...reports.map((r) => r.peakBytes));
    reports.length = 0;
    let change = 0;
    const [, status] = await sideBySide(
      SECOND_ROUNDS,
      async () => {
        await Deno.writeTextFile(`${large}/d7/f777`, `change ${change++}`);
        await ours(large, `${root}/store`);
      },
      () => gitOn("status", "--short"),
    ) as [number, number];
    // The child reports its own time: starting Deno is measured elsewhere.
    const second = median(reports.slice(1).map((r) => r.milliseconds));
    if (reports.some(({ read }) => read > 10)) {
      throw new Error("the second version read what had not changed");
    }
    const [made, added] = [median(first), median(add)];
    const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
    return [
      {
        what: "a version of 50,000 files, 500 MB",
        ours: ms(made),
        peer: `${ms(added)} for git add`,
        figure: `${(added / made).toFixed(2)} of its speed`,
        target: "at least 0.50",
        met: added / made >= 0.5,
      },
      {
        what: "the next version after one changed file",
        ours: ms(second),
        peer: `${ms(status)} for git status`,
        figure: (second / status).toFixed(2),
        target: "at most 2",
        met: second / status <= 2,
      },
      {
        what: "peak memory of the first",
        ours: mib(peak),
        peer: `${mib(smallPeak)} for a tenth of it`,
        figure: mib(peak),
        target: "under 250 MB",
        met: peak < 250e6,
      },
    ];
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
