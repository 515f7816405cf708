import { ms, program, type Row, sideBySide } from "./measure.ts";
import { EXAMPLES_IMAGE } from "../tools/image.ts";
import { fromCheckout } from "../tools/pp.ts";

const CHILD = fromCheckout("bench/streaming_child.ts");
const ROUNDS = 3;

/** A large workspace into a container, beside `tar c | docker cp -`, and the memory of the process that does it. */
export async function streaming(host: string): Promise<Row[]> {
  const root = await Deno.makeTempDir({ prefix: "veripatch-bench-" });
  const env = { DOCKER_HOST: host };
  const name = `veripatch-bench-${Deno.pid}`;
  try {
    const [small, large] = [`${root}/small`, `${root}/large`];
    await makeTree(small, 5_000, 50);
    await makeTree(large, 50_000, 500);
    const reports: Report[] = [];
    const ours = (directory: string) => async () => {
      const out = await program([...CHILD, directory, name], { env });
      reports.push(JSON.parse(out) as Report);
    };
    await program(["docker", "create", "--name", name, "--network", "none", EXAMPLES_IMAGE, "true"], { env });
    await ours(small)();
    const smallPeak = reports.pop()!.peakBytes;
    const copy = `tar -C "$1" -cf - . | docker cp - "$2":/tmp`;
    const [, peer] = await sideBySide(
      ROUNDS,
      ours(large),
      () => program(["sh", "-c", copy, "sh", large, name], { env }),
    ) as [
      number,
      number,
    ];
    // The child reports its own streaming time: starting Deno is measured elsewhere.
    const stream = reports.slice(1).map((r) => r.milliseconds).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
    const peak = Math.max(...reports.map((r) => r.peakBytes));
    const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
    return [
      {
        what: "50,000 files, 500 MB into a container",
        ours: ms(stream),
        peer: `${ms(peer)} for tar c \\| docker cp -`,
        figure: `${(peer / stream).toFixed(2)} of its speed`,
        target: "at least 0.50",
        met: peer / stream >= 0.5,
      },
      {
        what: "peak memory of that",
        ours: mib(peak),
        peer: `${mib(smallPeak)} for a tenth of it`,
        figure: mib(peak),
        target: "under 250 MB, not growing",
        met: peak < 250e6 && peak < smallPeak * 1.5,
      },
    ];
  } finally {
    await program(["docker", "rm", "-f", name], { env }).catch(() => {});
    await Deno.remove(root, { recursive: true });
  }
}

interface Report {
  readonly milliseconds: number;
  readonly peakBytes: number;
}

/** Files of equal size with bytes that do not compress, 100 to a folder. */
export async function makeTree(root: string, files: number, megabytes: number): Promise<void> {
  const bytes = new Uint8Array(Math.floor(megabytes * 1e6 / files));
  for (let i = 0; i < files; i++) {
    if (i % 100 === 0) await Deno.mkdir(`${root}/d${Math.floor(i / 100)}`, { recursive: true });
    crypto.getRandomValues(bytes.subarray(0, Math.min(bytes.length, 65_536)));
    await Deno.writeFile(`${root}/d${Math.floor(i / 100)}/f${i}`, bytes);
  }
}
