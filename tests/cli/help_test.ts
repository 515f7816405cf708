import assert from "node:assert/strict";
import { fitted, inColumns } from "../../src/cli/help_layout.ts";
import { TOPICS } from "../../src/cli/topics.ts";
import { pp, withFolder } from "./process.ts";
import { withTerminal } from "./terminal.ts";

const call = (...args: string[]) => withFolder({}, (cwd) => pp(args, { cwd }));

Deno.test("pp help: the same as pp --help, with every topic in it", async () => {
  const { code, stdout } = await call("help");
  assert.equal(code, 0);
  assert.equal(stdout, (await call("--help")).stdout);
  for (const { name } of TOPICS) assert.match(stdout, new RegExp(`^  ${name} `, "m"));
});

Deno.test("pp help TOPIC: every page, at 80 columns without a terminal", async () => {
  for (const { name } of TOPICS) {
    const { code, stdout, stderr } = await call("help", name);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /^=+$/m);
  }
});

Deno.test("pp help: a verb of a group; a misspelt word is named with what was meant", async () => {
  assert.equal((await call("help", "trust", "add")).stdout, (await call("trust", "add", "--help")).stdout);
  const topic = await call("help", "exit-code");
  assert.equal(topic.code, 64);
  assert.match(topic.stderr, /no verb or topic exit-code; did you mean exit-codes\?/);
  assert.match((await call("help", "trust", "ad")).stderr, /did you mean add\?/);
  assert.match((await call("help", "run", "x")).stderr, /no verb or topic run x/);
});

Deno.test("pp help --json: the verb as data, the topic as its page", async () => {
  const { verb, topic, topics } = JSON.parse((await call("help", "policy", "--json")).stdout);
  assert.deepEqual(verb.path, ["pp", "policy"]);
  assert.ok(verb.commands.some(({ name }: { name: string }) => name === "check"));
  assert.match(topic.markdown, /^# /);
  assert.equal(topics.length, TOPICS.length);
  const whole = JSON.parse((await call("help", "--json")).stdout);
  assert.deepEqual([whole.verb.path, whole.topic], [["pp"], null]);
});

async function stderrOf(program: string, args: readonly string[]): Promise<string> {
  const command = new Deno.Command(program, { args: [...args], env: { MANWIDTH: "80", LC_ALL: "C.UTF-8" } });
  const { stdout, stderr } = await command.output();
  return new TextDecoder().decode(stderr) + (program === "mandoc" ? new TextDecoder().decode(stdout) : "");
}

Deno.test("pp help --man: a page that man and mandoc take without a warning, with every verb and flag", async () => {
  const { stdout } = await call("help", "--man");
  await withFolder({ "pp.1": stdout }, async (cwd) => {
    // A date would make two builds differ.
    const lint = await stderrOf("mandoc", ["-T", "lint", "-W", "warning", `${cwd}/pp.1`]);
    assert.deepEqual(lint.split("\n").filter((line) => line !== "" && !/missing date/.test(line)), []);
    assert.equal(await stderrOf("man", ["-l", "--warnings=w", `${cwd}/pp.1`]), "");
  });
  for (const verb of ["run", "trust add", "artifact fsck", "events", "events prune", "completions"]) {
    assert.ok(stdout.includes(`.SS "${verb}"`), verb);
  }
  assert.match(stdout, /\\-\\-allow\\-protected/);
});

Deno.test("pp help TOPIC: a terminal gets a pager, which the reader leaves with q", async () => {
  await withFolder({}, async (cwd) => {
    const args = ["help", "policy"];
    await withTerminal({ args, cwd, columns: 80, rows: 20, env: { PAGER: "less" } }, async (terminal) => {
      assert.doesNotMatch(await terminal.until(/^:$/m), /EXIT/);
      await terminal.keys("q");
      await terminal.until(/^EXIT:0$/m);
    });
    await withTerminal(
      { args, cwd, columns: 80, rows: 20, env: { PAGER: "pp-no-such" } },
      async (terminal) => {
        assert.match(await terminal.until(/^EXIT:0$/m), /not found[^]*^=+$/m);
      },
    );
    await withTerminal({ args: [...args, "--no-pager"], cwd, columns: 40, rows: 20 }, async (terminal) => {
      const screen = await terminal.until(/^EXIT:0$/m);
      assert.ok(screen.split("\n").length > 100);
    });
  });
});

Deno.test("pp VERB --help: on a narrow terminal every line fits, but for examples", async () => {
  await withFolder({}, async (cwd) => {
    for (const columns of [40, 80]) {
      await withTerminal({ args: ["run", "--help"], cwd, columns }, async (terminal) => {
        const screen = await terminal.until(/^EXIT:0$/m);
        assert.match(
          screen,
          columns === 40 ? /^ {2}--sign <key>$\n {6}sign the proof/m : /^ {2}--sign <key> +sign/m,
        );
        assert.match(screen, columns === 40 ? /^ {6}try one patch$/m : /fix\.diff {6,}try one patch$/m);
      });
    }
  });
});

Deno.test("fitted: prose is broken between words, an example before what is said of it, nothing where it fits", () => {
  const text = "Examples:\n  pp x          does something with x\n  pp y\n\nProse that is long,\ngoes on.\n";
  assert.equal(fitted(text, null), text);
  assert.equal(fitted(text, 80), text);
  assert.equal(
    fitted(text, 18),
    "Examples:\n  pp x\n      does\n      something\n      with x\n  pp y\n\nProse that is\nlong, goes on.\n",
  );
});

Deno.test("inColumns: prose stays in its column, and goes below a head that leaves no room", () => {
  const prose = "one two three four five six seven eight";
  assert.equal(inColumns("head  ", prose, null), `head  ${prose}`);
  assert.equal(inColumns("head  ", prose, 45), `head  ${prose}`);
  assert.equal(inColumns("head  ", prose, 44), "head  one two three four five six seven\n      eight");
  assert.equal(
    inColumns("a long head  ", prose, 44),
    "a long head\n      one two three four five six seven\n      eight",
  );
});
