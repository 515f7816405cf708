import assert from "node:assert/strict";
import { Command } from "commander";
import { everyCommand, KIND_OF_VALUE, shapeOf } from "../../src/cli/tree/shape.ts";
import { registerVerbs } from "../../src/cli/verbs.ts";
import { verbRunner } from "../../src/cli/verb.ts";
import { pp, withFolder } from "./process.ts";
import { withTerminal } from "./terminal.ts";

/** What a line is completed to: in a folder with `fix.diff`, `fix it.diff`, `pp.yaml` and a directory `docs`. */
const CASES: readonly { readonly line: string; readonly has: readonly string[]; readonly not?: string }[] = [
  { line: "pp ar", has: ["artifact"], not: "run" },
  { line: "pp ", has: ["run", "prove", "verify-attestation", "completions", "help"], not: "init2" },
  { line: "pp trust ", has: ["init", "add", "revoke", "check"], not: "run" },
  { line: "pp artifact cr", has: ["create"] },
  { line: "pp events pr", has: ["prune"] },
  { line: "pp run --allow", has: ["--allow-protected"], not: "--apply" },
  { line: "pp trust add --va", has: ["--valid-from", "--valid-until"] },
  {
    line: "pp gate proof.ppb --format ",
    has: ["text", "json", "sarif", "junit", "markdown"],
    not: "fix.diff",
  },
  { line: "pp run --provider o", has: ["openai"], not: "local" },
  { line: "pp trust add ci ci.pub --role pro", has: ["prover"], not: "approver" },
  { line: "pp policy presets s", has: ["strict"] },
  { line: "pp template show add-f", has: ["add-field"] },
  { line: "pp completions ", has: ["bash", "zsh", "fish"] },
  { line: "pp help ", has: ["exit-codes", "trust", "replay"], not: "fix.diff" },
  { line: "pp run 'a b' --patch fix.", has: ["fix.diff"] },
  { line: "pp prove --policy pp.y", has: ["pp.yaml"] },
  { line: "pp bundle pack do", has: ["docs"] },
  { line: "pp trust add someone fix.", has: ["fix.diff"] },
  { line: "pp trust revoke --reason lost fix.", has: ["fix.diff"] },
  { line: "pp replay b --cwd ", has: ["docs"], not: "fix.diff" },
  { line: "pp gate b --base ma", has: ["main"] },
  { line: "pp run -- cat fix.", has: ["fix.diff"] },
  { line: "pp run -- --al", has: [], not: "--allow-protected" },
  { line: "pp gate --require-replay --ba", has: ["--base"] },
  { line: "pp --dir", has: ["--directory"] },
  { line: "pp -C ", has: ["docs"], not: "fix.diff" },
  { line: "pp -C docs trust a", has: ["add"], not: "artifact" },
];

async function withCompletions<T>(shell: string, use: (folder: string) => Promise<T>): Promise<T> {
  const files = {
    "fix.diff": "",
    "fix it.diff": "",
    "pp.yaml": "",
    "docs/x.md": "",
    "bin/pp": "#!/bin/sh\n",
  };
  return await withFolder(files, async (cwd) => {
    const made = await pp(["completions", shell], { cwd });
    assert.equal(made.code, 0, made.stderr);
    await Deno.writeTextFile(`${cwd}/_pp`, made.stdout);
    await Deno.chmod(`${cwd}/bin/pp`, 0o755);
    await run("git", ["init", "-q", "-b", "main"], cwd);
    const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    await run("git", [...identity, "commit", "-q", "--allow-empty", "-m", "x"], cwd);
    return await use(cwd);
  });
}

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(program, { args: [...args], cwd }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}

function check(shell: string, { line, has, not }: typeof CASES[number], offered: readonly string[]): void {
  for (const word of has) assert.ok(offered.includes(word), `${shell}: ${line}| offers ${offered.join(" ")}`);
  if (not !== undefined) assert.ok(!offered.includes(not), `${shell}: ${line}| offers ${not}`);
}

/** Calls the function as bash does: the words taken apart at `=` and `:` by bash's own reader of lines. */
const BASH = `source ./_pp
while IFS= read -r COMP_LINE; do
  COMP_POINT=\${#COMP_LINE}
  read -ra COMP_WORDS <<< "$(sed "s/'a b'/a_b/; s/[=:]/ & /g" <<< "$COMP_LINE")"
  [[ $COMP_LINE == *[\\ =] ]] && COMP_WORDS+=('')
  COMP_LINE=\${COMP_LINE/\\'a b\\'/a_b}
  COMP_POINT=\${#COMP_LINE}
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  __pp
  printf '%s\\t' "\${COMPREPLY[@]}"
  echo
done`;

async function bashOffers(cwd: string, lines: readonly string[]): Promise<readonly string[][]> {
  const child = new Deno.Command("bash", {
    args: ["--noprofile", "--norc", "-c", BASH],
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"));
  await writer.close();
  const { stdout } = await child.output();
  const answers = new TextDecoder().decode(stdout).split("\n").slice(0, -1);
  assert.equal(answers.length, lines.length);
  return answers.map((answer) => answer.split("\t").filter((word) => word !== ""));
}

Deno.test("pp completions bash: verbs, flags, choices, files, directories, branches", async () => {
  await withCompletions("bash", async (cwd) => {
    await run("bash", ["-n", "_pp"], cwd);
    const answers = await bashOffers(cwd, CASES.map(({ line }) => line));
    CASES.forEach((one, i) => check("bash", one, answers[i]!));
  });
});

Deno.test("pp completions bash: values after = and :, which bash takes for words of their own", async () => {
  await withCompletions("bash", async (cwd) => {
    const lines = [
      "pp gate b --format=j",
      "pp gate b --format=",
      "pp prove --patch=fix.",
      "pp run x --report ju",
    ];
    const [json, all, file, report] = await bashOffers(cwd, lines);
    assert.deepEqual(json, ["json", "junit"]);
    assert.equal(all!.length, 5);
    assert.deepEqual(file, ["fix.diff"]);
    assert.deepEqual(report, ["junit:"]);
  });
});

Deno.test("pp completions bash: what a branch is called is never run", async () => {
  await withCompletions("bash", async (cwd) => {
    const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    await run("git", [...identity, "branch", "evil$(touch${IFS}pwned)"], cwd);
    const [offered] = await bashOffers(cwd, ["pp gate b --base ev"]);
    assert.deepEqual(offered, ["evil\\$\\(touch\\$\\{IFS\\}pwned\\)"]);
    await assert.rejects(Deno.stat(`${cwd}/pwned`), Deno.errors.NotFound);
  });
});

Deno.test("pp completions fish: verbs, flags, choices, files, directories, branches", async () => {
  await withCompletions("fish", async (cwd) => {
    const script = ["source ./_pp", ...CASES.map(({ line }) => `complete -C ${quoted(line)}; echo ==`)];
    const answers = (await run("fish", ["--no-config", "-c", script.join("\n")], cwd)).split("==\n");
    CASES.forEach((one, i) => {
      const offered = answers[i]!.split("\n").map((line) => line.split("\t")[0]!.replace(/\/$/, ""));
      check("fish", one, offered);
    });
  });
});

const quoted = (text: string) => `'${text.replaceAll("'", "\\'")}'`;

Deno.test("pp completions zsh: what Tab makes of a line, in a real terminal", async () => {
  await withCompletions("zsh", async (cwd) => {
    await run("zsh", ["-f", "-n", "_pp"], cwd);
    const rc = `PS1='%% '; PATH=$PWD/bin:$PATH; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D\n`;
    await Deno.writeTextFile(`${cwd}/.zshrc`, rc + "unsetopt menucomplete automenu; setopt nobeep\n");
    const call = {
      program: ["zsh"],
      args: ["-d", "-i"],
      cwd,
      columns: 100,
      rows: 200,
      env: { ZDOTDIR: cwd },
    };
    await withTerminal(call, async (terminal) => {
      const tab = async (line: string, wanted: RegExp) => {
        await terminal.keys("C-u", "C-l", line, "Tab");
        return await terminal.until(wanted);
      };
      await terminal.until(/^%/m);
      await tab("pp ar", /^% pp artifact ?$/m);
      assert.doesNotMatch(await tab("pp trust ", /^init +-- Write a trust file/m), /^run/m);
      await tab("pp events pr", /^% pp events prune ?$/m);
      await tab("pp run --allow", /^% pp run --allow-protected=?$/m);
      await tab("pp gate b --format s", /^% pp gate b --format sarif ?$/m);
      await tab("pp gate b --format=s", /^% pp gate b --format=sarif ?$/m);
      await tab("pp gate b --base m", /^% pp gate b --base main ?$/m);
      await tab("pp run x --provider op", /^% pp run x --provider openai ?$/m);
      await tab("pp prove --patch fix.", /^% pp prove --patch fix.diff ?$/m);
      await tab("pp replay b --cwd do", /^% pp replay b --cwd docs\/$/m);
      await tab("pp trust add ci fix.", /^% pp trust add ci fix.diff ?$/m);
      await tab("pp run -- cat fix.", /^% pp run -- cat fix.diff ?$/m);
      await tab("pp policy presets st", /^% pp policy presets strict ?$/m);
    });
  });
});

Deno.test("pp completions bash: Tab in a real terminal, files with spaces included", async () => {
  await withCompletions("bash", async (cwd) => {
    await Deno.writeTextFile(`${cwd}/.rc`, "PS1='% '; bind 'set bell-style none'; source ./_pp\n");
    const call = { program: ["bash"], args: ["--noprofile", "--rcfile", ".rc", "-i"], cwd, columns: 100 };
    await withTerminal(call, async (terminal) => {
      await terminal.until(/^%/m);
      await terminal.keys("pp art", "Tab", "cr", "Tab", "na --work", "Tab", "do", "Tab");
      await terminal.until(/^% pp artifact create na --workspace docs\/$/m);
      await terminal.keys("C-u", "C-l", "pp prove --patch=fix\\ ", "Tab");
      await terminal.until(/^% pp prove --patch=fix\\ it\.diff ?$/m);
    });
  });
});

Deno.test("pp completions --json: the same script in a document; a shell without one is wrong usage", async () => {
  await withFolder({}, async (cwd) => {
    const { stdout } = await pp(["completions", "fish", "--json"], { cwd });
    const document = JSON.parse(stdout);
    assert.equal(document.format, "veripatch-completions/v1");
    assert.equal(document.script, (await pp(["completions", "fish"], { cwd })).stdout);
    const unknown = await pp(["completions", "tcsh"], { cwd });
    assert.equal(unknown.code, 64);
    assert.match(unknown.stderr, /bash, zsh, fish/);
  });
});

Deno.test("shapeOf: every value of a flag or word has a kind, and has it said on purpose", () => {
  const program = new Command("pp");
  registerVerbs(program, verbRunner({ exit: 0 }), []);
  const all = everyCommand(shapeOf(program));
  assert.ok(all.length > 40, `${all.length}`);
  const names = all.flatMap(({ flags, arguments: words }) => [
    ...flags.flatMap(({ value }) => value === null ? [] : [value.name]),
    ...words.map(({ name }) => name),
  ]);
  assert.deepEqual([...new Set(names)].filter((name) => KIND_OF_VALUE[name] === undefined), []);
  for (const { path, notes, commands } of all) {
    if (path.length > 1 && commands.length === 0) assert.match(notes, /^Examples:/, path.join(" "));
  }
});
