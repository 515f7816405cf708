import { attest } from "../src/bundle/attest.ts";
import { takeInventory } from "../src/bundle/inventory.ts";
import { renderPublicPem } from "../src/sign/pem.ts";
import { PROVED_FILES, testKey } from "../tests/bundle/attested.ts";
import { PP_FROM_CHECKOUT, ROOT } from "../tools/pp.ts";
import { inTurn, ms, processorTime, program, type Row, sideBySide } from "./measure.ts";

const FILES = 5_000;
const FILE_BYTES = 100_000;
const ROUNDS = 5;

/** Verifying a large bundle beside sha256sum over the same files, and a small one beside `pp --version`. */
export async function bundles(): Promise<Row[]> {
  const root = await Deno.makeTempDir({ prefix: "veripatch-bench-" });
  try {
    const key = `${root}/key.pem`;
    await Deno.writeTextFile(key, renderPublicPem(testKey(1).publicKey));
    const [small, large] = [`${root}/small`, `${root}/large`];
    await makeBundle(small, 0);
    await makeBundle(large, FILES);
    const built = `${root}/built`;
    await program([Deno.execPath(), "run", "-A", `${ROOT}/tools/build.ts`, "--portable", "--out", built]);
    const pp = [`${built}/pp`];
    const verifyBy = (by: readonly string[], bundle: string) => [
      ...[...by, "verify-attestation", bundle, "--key", key],
    ];
    const verify = (bundle: string) => verifyBy(PP_FROM_CHECKOUT, bundle);
    const sums = `find "$1" -type f -print0 | xargs -0 sha256sum`;
    const [ours, peer] = await sideBySide(
      ROUNDS,
      () => program(verify(large)),
      () => program(["sh", "-c", sums, "sh", large]),
    ) as [number, number];
    const peak = await peakBytes(verify(large));
    const [one, version, unbuilt, unbuiltVersion] = await inTurn(
      21,
      () => processorTime(verifyBy(pp, small)),
      () => processorTime([...pp, "--version"]),
      () => processorTime(verify(small)),
      () => processorTime([...PP_FROM_CHECKOUT, "--version"]),
    ) as [number, number, number, number];
    return [
      {
        what: "verify-attestation of 5,000 files, 500 MB",
        ours: ms(ours),
        peer: `${ms(peer)} for sha256sum`,
        figure: `${(peer / ours).toFixed(2)} of its speed`,
        target: "at least 1",
        met: ours <= peer,
      },
      {
        what: "peak memory of that",
        ours: `${Math.round(peak / 1e6)} MB`,
        peer: "",
        figure: `${Math.round(peak / 1e6)} MB`,
        target: "under 150 MB",
        met: peak < 150e6,
      },
      {
        what: "verify-attestation of a small bundle by the portable file, processor time",
        ours: ms(one),
        peer: `${ms(version)} for pp --version`,
        figure: (one / version).toFixed(2),
        target: "at most 2",
        met: one / version <= 2,
      },
      {
        what: "the same from a checkout, where its 49 modules are loaded one by one",
        ours: ms(unbuilt),
        peer: `${ms(unbuiltVersion)} for pp --version`,
        figure: (unbuilt / unbuiltVersion).toFixed(2),
        target: "",
        met: null,
      },
    ];
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** A signed proof with more output files than it ran, each of bytes of its own. */
async function makeBundle(dir: string, more: number): Promise<void> {
  const put = async (name: string, bytes: Uint8Array) => {
    await Deno.mkdir(`${dir}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeFile(`${dir}/${name}`, bytes);
  };
  for (const [name, bytes] of PROVED_FILES) await put(name, bytes);
  const bytes = new Uint8Array(FILE_BYTES);
  for (let i = 0; i < more; i++) {
    crypto.getRandomValues(bytes.subarray(0, 65_536));
    const number = String(i % 100 + 10).padStart(2, "0");
    await put(`confirmation/run_${Math.floor(i / 100) + 2}/${number}_tests.stdout.txt`, bytes);
  }
  const taken = await takeInventory(dir);
  if (!taken.ok) throw new Error(taken.refusal.detail);
  const issue = { issuedAt: new Date(), nonce: null };
  for (const [name, envelope] of await attest(taken.inventory, [testKey(1)], issue)) {
    await put(name, envelope);
  }
}

/** The most memory a program had, as the kernel counts it. */
async function peakBytes(argv: readonly string[]): Promise<number> {
  const child = new Deno.Command(argv[0]!, { args: argv.slice(1), stdin: "null", stdout: "null" }).spawn();
  let [running, peak] = [true, 0];
  child.status.then(() => running = false);
  while (running) {
    const status = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => "");
    peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { success } = await child.status;
  if (!success || peak === 0) throw new Error(`${argv.join(" ")} could not be measured`);
  return peak;
}
