import assert from "node:assert/strict";
import { Command } from "commander";
import fc from "fast-check";
import { registerVerifyAttestation } from "../../src/cli/verify_attestation_verb.ts";
import { VERIFY_ATTESTATION_OPTIONS } from "../../src/cli/trust_options.ts";
import { plainCall } from "../../src/cli/verify_attestation_quick.ts";
import { pp } from "./process.ts";

/** What the command line library makes of a call; null for a mistake. */
function library(args: readonly string[]): unknown {
  let seen: unknown = null;
  const program = new Command("pp").exitOverride().configureOutput({
    writeErr: () => {},
    writeOut: () => {},
  });
  // deno-lint-ignore no-explicit-any -- an action that only looks
  registerVerifyAttestation(program, (() => (bundle: string, flags: any) => seen = { bundle, flags }) as any);
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  }
  try {
    program.parse(["verify-attestation", ...args], { from: "user" });
  } catch {
    return null;
  }
  return JSON.parse(JSON.stringify(seen));
}

Deno.test("plainCall: whatever it takes it reads as the command line library does", () => {
  const names = VERIFY_ATTESTATION_OPTIONS.map(([flags]) => flags.split(" ")[0]!);
  const word = fc.oneof(
    fc.constantFrom(
      ...names,
      ...names.map((name) => `${name}=x`),
      "--nope",
      "-h",
      "--help",
      "--",
      "-",
      "--key=",
    ),
    fc.constantFrom("bundle", "a b", "30d", "-1", "x=y", ""),
  );
  let taken = 0;
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (args) => {
      const call = plainCall(args);
      if (call === null) return;
      taken++;
      assert.deepEqual(call, library(args), JSON.stringify(args));
    }),
    { numRuns: 3000 },
  );
  assert.ok(taken > 50, `${taken} calls were plain`);
});

Deno.test("plainCall: the usual calls are plain", () => {
  assert.deepEqual(plainCall(["b", "--key", "k", "--key=l", "--max-age", "30d", "--json"]), {
    bundle: "b",
    flags: { key: ["k", "l"], maxAge: "30d", json: true },
  });
  assert.deepEqual(plainCall(["--trust", "t.yaml", "--allow-unsigned", "b", "--key-env=X"]), {
    bundle: "b",
    flags: { trust: "t.yaml", allowUnsigned: true, keyEnv: "X" },
  });
  for (
    const args of [[], ["a", "b"], ["b", "--key"], ["b", "--help"], ["b", "--json=1"], [
      "b",
      "--json",
      "--json",
    ]]
  ) {
    assert.equal(plainCall(args), null, args.join(" "));
  }
});

Deno.test("pp verify-attestation: help and mistakes are answered as for every verb", async () => {
  const cwd = Deno.cwd();
  const help = await pp(["verify-attestation", "--help"], { cwd });
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--max-age <time>[^]*Examples:/);
  const mistake = await pp(["verify-attestation", "b", "--kye", "x", "--json"], { cwd });
  assert.equal(mistake.code, 64);
  assert.equal(JSON.parse(mistake.stdout).error.code, "unknown_option");
  const failure = await pp(["verify-attestation", ".", "--threshold", "x", "--key", "nowhere"], { cwd });
  assert.equal(failure.code, 64);
});

Deno.test("quickVerifyAttestation: what it loads at once is of us alone: Node's layer and packages take longer than it does itself", async () => {
  const entry = new URL("../../src/cli/verify_attestation_quick.ts", import.meta.url).href;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", entry] }).output();
  const graph = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: {
      specifier: string;
      dependencies?: { isDynamic?: boolean; code?: { specifier?: string } }[];
    }[];
  };
  const modules = new Map(graph.modules.map((module) => [module.specifier, module]));
  const loaded = new Set([entry]);
  for (const each of loaded) {
    for (const { isDynamic, code } of modules.get(each)?.dependencies ?? []) {
      if (isDynamic !== true && code?.specifier !== undefined) loaded.add(code.specifier);
    }
  }
  assert.ok(loaded.size > 30 && loaded.size < 50, `${loaded.size} modules`);
  assert.deepEqual([...loaded].filter((name) => !name.startsWith("file:")), []);
});
