/**
 * `deno task test`: formatting, lint, types, then every test on a real engine, set up first where it is missing, and
 * with a portable file built for this run. `deno task test:binary`: the engine's tests with the built file that PP_BIN
 * names. The last line is `N passed, N failed` with the runner's own counts.
 */
import { onSignal } from "./on_signal.ts";
import { ensureEngine } from "./engine.ts";
import { ensureBareImage, ensureExamplesImage, EXAMPLES_IMAGE } from "./image.ts";
import { reportSetUpNeeded, SetUpNeeded, step } from "./log.ts";
import { ensurePrograms } from "./system.ts";

const ROOT = `${import.meta.dirname}/..`;

/** As `./pp` runs: memory figures of the tests are those of the product. */
const V8_FLAGS = "--v8-flags=--max-semi-space-size=2";

/** What the tests use besides Deno, and the Debian package each comes from. */
const PROGRAMS = {
  bwrap: "bubblewrap",
  fish: "fish",
  git: "git",
  less: "less",
  man: "man-db",
  mandoc: "mandoc",
  minisign: "minisign",
  openssl: "openssl",
  python3: "python3",
  setpriv: "util-linux",
  "ssh-keygen": "openssh-client",
  tmux: "tmux",
  zsh: "zsh",
};

let running: Deno.ChildProcess | null = null;
let interrupted = false;

async function deno(args: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  step(`deno ${args.join(" ")}`);
  running = new Deno.Command(Deno.execPath(), { args: [...args], cwd: ROOT, env, stdin: "null" }).spawn();
  const { success } = await running.status;
  running = null;
  // Nothing more is started then, nor counted: cleaning up ends this program.
  if (interrupted) await new Promise(() => {});
  return success;
}

/** Whoever interrupts this program alone, by its process id, has interrupted its tests as well. */
async function stopRunning(): Promise<void> {
  interrupted = true;
  const child = running;
  if (child === null) return;
  child.kill("SIGTERM");
  await child.status;
}

/** Reads the totals of a JUnit report. */
async function counts(report: string): Promise<{ passed: number; failed: number }> {
  const xml = await Deno.readTextFile(report).catch(() => "");
  const suites = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  const number = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suites)?.[1] ?? 0);
  const failed = number("failures") + number("errors");
  return { passed: number("tests") - failed - (xml.match(/<skipped\b/g)?.length ?? 0), failed };
}

async function testAll(only: readonly string[], binary: string | null): Promise<number> {
  let ok = true;
  if (only.length === 0 && binary === null) {
    ok = await deno(["fmt", "--check", "--quiet"]) && ok;
    ok = await deno(["lint", "--quiet"]) && ok;
    ok = await deno(["check", "--quiet", "main.ts", "src", "tests", "tools", "bench"]) && ok;
  }
  await ensurePrograms(PROGRAMS);
  const engine = await ensureEngine();
  const reports = await Deno.makeTempDir({ prefix: "veripatch-reports-" });
  // The file that is built there is started by other users, too.
  await Deno.chmod(reports, 0o755);
  const cleanUp = () => Deno.remove(reports, { recursive: true }).finally(engine.stop);
  onSignal(() => stopRunning().finally(cleanUp));
  const total = { passed: 0, failed: 0 };
  try {
    await ensureExamplesImage(engine);
    const builds = only.length === 0 && binary === null;
    if (builds || binary !== null) await ensureBareImage(engine);
    const built = `${reports}/built`;
    if (builds) {
      ok = await deno(["run", "-A", "--quiet", "tools/build.ts", "--portable", "--out", built]) && ok;
    }
    const env = {
      DOCKER_HOST: engine.host,
      PP_TEST_IMAGE: EXAMPLES_IMAGE,
      NO_COLOR: "1",
      ...(builds ? { PP_PORTABLE_FOLDER: built } : {}),
      ...(binary === null ? {} : { PP_BIN: binary }),
    };
    // Those in `alone` kill pp and engines, fill machines and time what happens: nothing else may run beside them.
    const beside = (folder: string) => ["--parallel", "--ignore=tests/engine/alone", folder];
    const rounds = only.length > 0
      ? [[...only]]
      : [beside(binary === null ? "tests" : "tests/engine"), ["tests/engine/alone"]];
    for (const [i, round] of rounds.entries()) {
      const report = `${reports}/${i}.xml`;
      const checked = only.length === 0 && binary === null ? ["--no-check"] : [];
      const args = ["test", "-A", "--quiet", ...checked, V8_FLAGS, `--junit-path=${report}`, ...round];
      ok = await deno(args, env) && ok;
      const count = await counts(report);
      total.passed += count.passed;
      total.failed += count.failed;
    }
  } finally {
    await cleanUp();
  }
  if (total.passed === 0 && total.failed === 0) ok = false;
  if (!ok) console.log("\nNot everything passed: see above.");
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return ok && total.failed === 0 ? 0 : 1;
}

/** The built file that PP_BIN names, absolute: tests run in folders of their own. */
async function builtFile(): Promise<string> {
  const named = Deno.env.get("PP_BIN") ?? "";
  const path = await Deno.realPath(named === "" ? `${ROOT}/dist/pp` : named).catch(() => null);
  if (path === null) {
    throw new SetUpNeeded(named === "" ? "PP_BIN names no file." : `PP_BIN=${named} is not there.`, [
      "deno task build --portable",
      "PP_BIN=dist/pp deno task test:binary",
    ]);
  }
  return path;
}

try {
  const binary = Deno.args[0] === "--binary" ? await builtFile() : null;
  Deno.exit(await testAll(Deno.args.slice(binary === null ? 0 : 1), binary));
} catch (error) {
  if (error instanceof SetUpNeeded) Deno.exit(reportSetUpNeeded(error));
  throw error;
}
