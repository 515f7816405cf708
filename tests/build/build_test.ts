import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { builtFrom, isCommit, OtherCommit } from "../../tools/build/commit.ts";
import { UNUSED } from "../../src/sandbox/docker/dockerode.ts";
import { RUNTIME_VERSION, TARGETS } from "../../tools/build/runtime.ts";
import { ROOT } from "../../tools/pp.ts";
import { buildInto, portableFolder, run } from "./portable.ts";

const digest = async (path: string) => createHash("sha256").update(await Deno.readFile(path)).digest("hex");

Deno.test("build --portable: the same checkout gives the same bytes, in another folder, zone and with nothing kept", async () => {
  const first = await portableFolder();
  const root = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    const [out, tmp] = [`${root}/deep/er/out`, `${root}/tmp`];
    for (const folder of [out, tmp]) await Deno.mkdir(folder, { recursive: true });
    const second = await buildInto(out, { XDG_CACHE_HOME: `${root}/cache`, TMPDIR: tmp, TZ: "Pacific/Apia" });
    for (const name of ["pp", "pp.cdx.json", "SHA256SUMS"]) {
      assert.equal(await digest(`${second}/${name}`), await digest(`${first}/${name}`), name);
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(tmp)), [], "nothing is left");
    assert.equal((await Array.fromAsync(Deno.readDir(out))).length, 3);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("build --portable: at most 60 MB, executable, with checksums that hold", async () => {
  const folder = await portableFolder();
  const { size, mode } = await Deno.stat(`${folder}/pp`);
  assert.ok(size <= 60_000_000, `${size} bytes`);
  assert.equal((mode ?? 0) & 0o777, 0o755);
  const sums = await Deno.readTextFile(`${folder}/SHA256SUMS`);
  assert.equal(
    sums,
    `${await digest(`${folder}/pp`)}  pp\n${await digest(`${folder}/pp.cdx.json`)}  pp.cdx.json\n`,
  );
});

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly unknown[];
}

Deno.test("build --portable: the CycloneDX list has every file and package, with digest and licence", async () => {
  const folder = await portableFolder();
  const home = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    const { stdout } = await run([`${folder}/pp`, "--version", "--json"], { XDG_CACHE_HOME: home });
    const info = JSON.parse(stdout) as { embedded: { path: string; sha256: string }[] };
    const bom = JSON.parse(await Deno.readTextFile(`${folder}/pp.cdx.json`));
    assert.deepEqual([bom.bomFormat, bom.specVersion], ["CycloneDX", "1.6"]);
    const components = bom.components as Component[];
    const files = components.filter(({ type }) => type === "file");
    assert.deepEqual(
      files.map(({ name, hashes }) => ({ path: name, sha256: hashes![0]!.content })),
      info.embedded,
    );
    // Digests are of the files as they lie there.
    const [tree] = await Array.fromAsync(Deno.readDir(`${home}/veripatch/portable`)).then((entries) =>
      entries.filter(({ isDirectory }) => isDirectory).map(({ name }) =>
        `${home}/veripatch/portable/${name}/tree`
      )
    );
    for (const { path, sha256 } of info.embedded) assert.equal(await digest(`${tree}/${path}`), sha256, path);
    const packages = components.filter(({ type }) => type === "library");
    for (const { name, purl, hashes, licenses } of packages) {
      assert.ok(licenses !== undefined && hashes?.[0]?.alg === "SHA-512", `${name} lacks something`);
      assert.match(purl!, /^pkg:npm\/(%40[^/]+\/)?[^/@]+@\d/);
      assert.equal(hashes[0]!.content.length, 128);
    }
    const has = (name: string) => packages.find((found) => found.name === name)?.version;
    assert.equal(has("@deno/linux-x64-glibc") ?? has("@deno/linux-arm64-glibc"), RUNTIME_VERSION);
    const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`)) as {
      imports: Record<string, string>;
    };
    for (const name of ["zod", "commander", "dockerode", "web-tree-sitter", "@vscode/tree-sitter-wasm"]) {
      assert.equal(imports[name], `npm:${name}@${has(name)}`);
    }
    for (const name of ["esbuild", "fast-check", ...UNUSED]) {
      assert.equal(has(name), undefined, `${name} is no part of it`);
    }
    const notices = await Deno.readTextFile(`${tree}/THIRD_PARTY_LICENSES`);
    for (const { name, version } of packages) {
      assert.ok(
        name.startsWith("@deno/") || notices.includes(`${name} ${version}: `),
        `${name} has no notice`,
      );
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("RUNTIME_VERSION: is the Deno that ./pp and CI start", async () => {
  for (const file of ["pp", ".ci/run", "README.md"]) {
    const versions = new Set((await Deno.readTextFile(`${ROOT}/${file}`)).match(/deno@\d+\.\d+\.\d+/g));
    assert.deepEqual([...versions], [`deno@${RUNTIME_VERSION}`], file);
  }
});

/** Compiles a tiny program in a Deno that has nothing cached and reaches nothing. */
async function compile(folder: string, env: Readonly<Record<string, string>>) {
  const script = `
    import { compileProgram, StubMissing } from ${JSON.stringify(`${ROOT}/tools/build/compile.ts`)};
    import { TARGETS } from ${JSON.stringify(`${ROOT}/tools/build/runtime.ts`)};
    const target = TARGETS.find(({ triple }) => triple === Deno.build.target);
    const files = new Map([["main.js", new TextEncoder().encode('await import("./" + "late.js")')],
      ["late.js", new TextEncoder().encode("console.log(1)")], ["policies/a.yaml", new TextEncoder().encode("#MARK1#")]]);
    try {
      await compileProgram(target, files, ${JSON.stringify(folder)}, ${JSON.stringify(`${folder}/out`)});
      console.log("compiled");
    } catch (error) {
      console.log(error instanceof StubMissing ? "stub missing" : error);
    }`;
  const nowhere = { HTTPS_PROXY: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9" };
  await Deno.writeTextFile(`${folder}/compile.ts`, script);
  return await run([Deno.execPath(), "run", "-A", "--no-config", `${folder}/compile.ts`], {
    DENO_DIR: `${folder}/deno`,
    ...nowhere,
    ...env,
  });
}

Deno.test("compileProgram: without the stub it says that, with DENORT_BIN everything is embedded", async () => {
  const folder = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    assert.equal((await compile(folder, {})).stdout, "stub missing\n");
    // Deno itself is no stub, so what comes out is no program; what is embedded can be seen all the same.
    const { stdout, stderr } = await compile(folder, { DENORT_BIN: Deno.execPath() });
    assert.equal(stdout, "compiled\n", stderr);
    const bytes = new TextDecoder("latin1").decode(
      (await Deno.readFile(`${folder}/out`)).subarray(-5_000_000),
    );
    for (const mark of ["late.js", "#MARK1#", "console.log(1)"]) assert.ok(bytes.includes(mark), mark);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("build: where the stub cannot be downloaded it exits 69, says so, names what is possible and leaves nothing", async () => {
  const root = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  try {
    const { stdout } = await run([Deno.execPath(), "info", "--json"], { HOME: Deno.env.get("HOME") ?? "/" });
    // The packages are there, a stub that was downloaded once is not.
    await Deno.mkdir(`${root}/deno`);
    await Deno.symlink(`${(JSON.parse(stdout) as { denoDir: string }).denoDir}/npm`, `${root}/deno/npm`);
    const nowhere = { HTTPS_PROXY: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9" };
    const env = { HOME: root, DENO_DIR: `${root}/deno`, ...nowhere };
    const argv = [Deno.execPath(), "run", "-A", "--quiet", `${ROOT}/tools/build.ts`, "--out", `${root}/out`];
    const named = await run(argv, { ...env, DENORT_BIN: `${root}/none` });
    assert.equal(named.code, 69, named.stderr);
    assert.match(
      named.stderr,
      /^\nDENORT_BIN=.*\/none is no file that is there\.\n[^]*--portable/,
      "at once",
    );
    const { code, stderr } = await run(argv, env);
    assert.equal(code, 69, stderr);
    assert.match(
      stderr,
      /denort\) that it downloads from Deno's release host, and that\nis not there/,
    );
    assert.match(stderr, /^ +deno task build --portable +needs nothing but the npm registry$/m);
    assert.match(stderr, /^ +DENORT_BIN=\/path\/to\/denort deno task build /m);
    assert.doesNotMatch(stderr, /\bat .*\.ts:\d+|backtrace/, "no stack trace");
    assert.deepEqual(await Array.fromAsync(Deno.readDir(`${root}/out`)), []);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("builtFrom: git's word counts, the builder's where git has none, and they do not contradict", () => {
  const [here, there] = ["a".repeat(40), "b".repeat(40)];
  assert.deepEqual(builtFrom({ commit: here, modified: true }, null), { commit: here, modified: true });
  assert.deepEqual(builtFrom({ commit: here, modified: false }, here), { commit: here, modified: false });
  assert.deepEqual(builtFrom({ commit: null, modified: null }, here), { commit: here, modified: null });
  assert.deepEqual(builtFrom({ commit: null, modified: null }, null), { commit: null, modified: null });
  assert.throws(() => builtFrom({ commit: here, modified: false }, there), OtherCommit);
  for (const wrong of ["", "main", "a".repeat(39), "A".repeat(40), `${here}\n`]) assert.ok(!isCommit(wrong));
});

Deno.test("build: wrong usage exits 64 and names what is possible", async () => {
  const build = (...args: string[]) =>
    run([Deno.execPath(), "run", "-A", "--quiet", `${ROOT}/tools/build.ts`, ...args], {
      HOME: Deno.env.get("HOME") ?? "/",
    });
  const unknown = await build("--target", "plan9");
  assert.equal(unknown.code, 64);
  for (const { name } of TARGETS) assert.ok(unknown.stderr.includes(name));
  assert.equal((await build("--portable", "--target", "macos-arm64")).code, 64);
  assert.equal((await build("--no-such-flag")).code, 64);
  assert.equal((await build("--commit", "main")).code, 64);
  const other = await build("--commit", "0".repeat(40), "--out", "/nonexistent");
  assert.equal(other.code, 64);
  assert.match(other.stderr, /commit [0-9a-f]{40} is checked out/);
});
