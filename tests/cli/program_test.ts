import assert from "node:assert/strict";
import { PP, pp, withFolder } from "./process.ts";
import { VERSION } from "../../src/version.ts";

const call = (...args: string[]) => withFolder({}, (cwd) => pp(args, { cwd }));

Deno.test("pp: without arguments it shows its help and exits 64", async () => {
  const { code, stdout } = await call();
  assert.equal(code, 64);
  assert.match(stdout, /^Usage: pp [^]*Examples:[^]*Exit codes:/);
});

Deno.test("pp --help: lists every verb and every exit code, exit 0", async () => {
  const { code, stdout } = await call("--help");
  assert.equal(code, 0);
  for (const verb of ["run", "prove", "replay", "doctor", "policy", "init", "keygen", "key", "trust"]) {
    assert.match(stdout, new RegExp(`^  ${verb}\\b`, "m"));
  }
  for (const exit of [0, 2, 3, 64, 65, 69, 70, 77, 130]) {
    assert.match(stdout, new RegExp(`^  ${exit} +[a-z]`, "m"));
  }
});

Deno.test("pp --version: alone and among other words", async () => {
  for (const args of [["--version"], ["-V"]]) {
    assert.deepEqual(await call(...args), { code: 0, stdout: `pp ${VERSION}\n`, stderr: "" });
  }
});

Deno.test("pp --version --json: what this program is, in any order", async () => {
  const { code, stdout } = await call("--version", "--json");
  assert.equal(code, 0);
  const { format, version, kind, runtime, embedded } = JSON.parse(stdout);
  assert.deepEqual({ format, version }, { format: "veripatch-version/v1", version: VERSION });
  assert.ok(["checkout", "compiled", "portable"].includes(kind));
  assert.equal(runtime.name, "deno");
  assert.ok(Array.isArray(embedded));
  assert.equal((await call("--json", "-V")).stdout, stdout);
});

Deno.test("pp: an unknown verb or flag, and a missing argument, are wrong usage with a way on", async () => {
  const verb = await call("prov");
  assert.equal(verb.code, 64);
  assert.match(verb.stderr, /unknown command 'prov'[^]*Did you mean prove\?/);
  const flag = await call("replay", "x", "--repeats", "3");
  assert.equal(flag.code, 64);
  assert.match(flag.stderr, /--repeats[^]*Did you mean --repeat\?/);
  const missing = await call("run");
  assert.equal(missing.code, 64);
  assert.match(missing.stderr, /missing required argument 'command'/);
  assert.equal(missing.stdout, "");
  assert.equal(
    missing.stderr,
    "pp: missing required argument 'command'\nhint: pp run --help shows flags and examples\n",
  );
  assert.match((await call("trust", "ad", "x")).stderr, /Did you mean add\?[^]*hint: pp trust --help/);
  const group = await call("trust");
  assert.equal(group.code, 64);
  assert.match(group.stderr, /^Usage: pp trust/);
});

Deno.test("pp: wrong usage with --json is a document too", async () => {
  const cases: readonly [readonly string[], string][] = [
    [["prov", "--json"], "unknown_command"],
    [["prove", "--json", "--nope"], "unknown_option"],
    [["replay", "--json"], "missing_argument"],
    [["run", "--json", "--patch"], "option_missing_argument"],
    [["prove", "--json", "extra"], "excess_arguments"],
  ];
  for (const [args, code] of cases) {
    const result = await call(...args);
    assert.equal(result.code, 64, args.join(" "));
    const document = JSON.parse(result.stdout);
    assert.equal(document.error.kind, "usage");
    assert.equal(document.error.code, code);
    assert.doesNotMatch(document.error.message, /^error:|\n/);
    assert.match(document.error.hint, /--help shows flags/);
    assert.equal(document.exit, 64);
  }
});

Deno.test("pp run: flags of the command without -- get a hint how to write it", async () => {
  const { code, stderr } = await call("run", "pytest", "-q");
  assert.equal(code, 64);
  assert.match(stderr, /pp run -- pytest -q/);
});

Deno.test("pp VERB --help: every verb shows its flags and examples", async () => {
  for (const verb of ["run", "prove", "replay", "doctor", "policy", "init", "keygen", "key", "trust"]) {
    const { code, stdout } = await call(verb, "--help");
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: pp ${verb}`));
    assert.match(stdout, new RegExp(`Examples:\\n(.*\\n)*?.*\\bpp ${verb}\\b`));
    if (!["policy", "key", "trust"].includes(verb)) assert.match(stdout, /--json/);
    const { stdout: helped } = await call("help", verb);
    // A verb that is a topic, too, is followed by its page.
    if (["policy", "trust"].includes(verb)) assert.ok(helped.startsWith(`${stdout}\n`), verb);
    else assert.equal(helped, stdout, "pp help VERB is the same");
  }
});

Deno.test("pp: a value that is none of the choices is said as every verb says it", async () => {
  const flag = await call("gate", "x", "--base", "a", "--head", "b", "--format", "sarf");
  assert.deepEqual(flag, {
    code: 64,
    stdout: "",
    stderr: 'pp: --format takes text, json, sarif, junit, markdown, not "sarf"; did you mean sarif?\n' +
      "hint: pp gate --help shows flags and examples\n",
  });
  const word = await call("completions", "bsh", "--json");
  assert.match(word.stderr, /^pp: shell takes bash, zsh, fish, not "bsh"; did you mean bash\?$/m);
  assert.equal(JSON.parse(word.stdout).error.code, "invalid_argument");
});

Deno.test("pp version: is --version, also with --json", async () => {
  assert.equal((await call("version")).stdout, `pp ${VERSION}\n`);
  assert.equal(JSON.parse((await call("version", "--json")).stdout).version, VERSION);
});

Deno.test("pp -v: points to --version", async () => {
  for (const word of ["-v"]) {
    assert.match((await call(word)).stderr, /^hint: pp --version prints the version/m);
  }
});

Deno.test("pp --help: whoever stopped reading gets no complaint, and the exit code stays", async () => {
  await withFolder({}, async (cwd) => {
    for (
      const [args, code] of [["--help", 0], ["run --help", 0], ["trust", 64], ["help policy", 0]] as const
    ) {
      // A pipe whose only reader is gone before anything is written.
      const script = `exec 4> >(true); wait $!; ${PP.join(" ")} ${args} >&4 2>&4; echo "EXIT:$?"`;
      const { stdout } = await new Deno.Command("bash", { args: ["-c", script], cwd }).output();
      assert.equal(new TextDecoder().decode(stdout), `EXIT:${code}\n`, args);
    }
  });
});

Deno.test("pp -C: works as if started in that folder, and paths are seen from there", async () => {
  const files = { "in/pp.yaml": "policy: {}\n", "in/deep/x": "", "x.diff": "" };
  await withFolder(files, async (cwd) => {
    const source = async (...args: string[]) => {
      const { stdout, stderr } = await pp([...args, "--json"], { cwd });
      return stdout === "" ? stderr : (JSON.parse(stdout) as { source: string | null }).source;
    };
    const here = await source("policy", "show");
    const [there, ...same] = await Promise.all([
      source("-C", "in", "policy", "show"),
      source("--directory=in", "policy", "show"),
      source("--directory", "in/deep", "-C", "..", "policy", "show"),
      source("-C", `${cwd}/in`, "policy", "show", "pp.yaml"),
    ]);
    assert.notEqual(there, here);
    assert.match(there!, /pp\.yaml$/);
    assert.deepEqual(same, [there, there, there]);
  });
});

Deno.test("pp -C: a folder that cannot be entered, a flag without one or behind the verb are wrong usage", async () => {
  await withFolder({ file: "" }, async (cwd) => {
    const refused = async (...args: string[]) => {
      const { code, stdout, stderr } = await pp(args, { cwd });
      assert.equal(code, 64, stdout);
      return stderr;
    };
    assert.match(await refused("-C", "none", "doctor"), /-C "none": there is no such folder\nhint: /);
    assert.match(await refused("-C", "file", "doctor"), /-C "file": it is no folder\n/);
    assert.match(await refused("-C"), /argument missing/);
    assert.match(await refused("doctor", "-C", "."), /unknown option '-C'/);
    const { stdout } = await pp(["-C", "none", "doctor", "--json"], { cwd });
    assert.equal(JSON.parse(stdout).error.code, "folder_missing");
  });
});
