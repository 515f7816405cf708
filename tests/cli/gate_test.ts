import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { renderPublicPem } from "../../src/sign/pem.ts";
import { PP } from "./process.ts";
import { pp, type PpResult } from "./process.ts";
import { testKey } from "../bundle/attested.ts";
import { git } from "../workspace/repositories.ts";
import { inTempDir, writeFiles } from "../workspace/trees.ts";
import { parse as parseYaml } from "yaml";
import { commitAll, type GateFixture, gateFixture, POLICY } from "../verify/gate_fixture.ts";

interface Placed extends GateFixture {
  /** Where bundle, keys and trust file are: `proof_bundle`, `ci.pub.pem`, `other.pub.pem`, `trust.yaml`. */
  readonly cwd: string;
}

async function onFixture(body: (fixture: Placed) => Promise<void>, trusted = 1): Promise<void> {
  await inTempDir(async (cwd) => {
    const fixture = await gateFixture(cwd);
    for (const [name, bytes] of fixture.files) {
      await Deno.mkdir(join(cwd, "proof_bundle", name, ".."), { recursive: true });
      await Deno.writeFile(join(cwd, "proof_bundle", name), bytes);
    }
    const pem = (number: number) => renderPublicPem(testKey(number).publicKey);
    writeFiles(cwd, {
      "ci.pub.pem": pem(1),
      "other.pub.pem": pem(2),
      "trust.yaml": JSON.stringify({
        format: "veripatch-trust/v1",
        principals: [{ name: "ci", roles: ["prover"], keys: [{ public_key: pem(trusted) }] }],
      }),
    });
    await body({ ...fixture, cwd });
  });
}

const CALL = ["gate", "proof_bundle", "--repo", "repo", "--base", "main", "--head", "fix"];

function gate(cwd: string, ...args: string[]): Promise<PpResult> {
  return pp([...CALL, ...args], { cwd });
}

// deno-lint-ignore no-explicit-any -- the document's fields are what is asserted
function json(result: PpResult): any {
  return JSON.parse(result.stdout);
}

Deno.test("pp gate: open is exit 0, closed exit 2, each check with its mark and what to do next", () =>
  onFixture(async ({ cwd, root }) => {
    const open = await gate(cwd, "--trust", "trust.yaml");
    assert.equal(open.code, 0, open.stdout + open.stderr);
    assert.match(open.stdout, /^bundle {3}proof_bundle$/m);
    assert.match(open.stdout, /^policy {3}pp\.yaml of the merge base [0-9a-f]{12}$/m);
    assert.match(open.stdout, /^signer {3}ci, ed25519 [0-9a-f]{64}$/m);
    assert.match(open.stdout, /^gate {5}open$/m);
    assert.equal(open.stdout.match(/^✓ /gm)?.length, 14);
    assert.match(open.stdout, /^- replay .*--require-replay/m);

    git(root, "checkout", "-q", "fix");
    writeFiles(root, { "evil.py": "x\n", "a\u001b[2Jb": "x\n" });
    commitAll(root);
    const closed = await gate(cwd, "--trust", "trust.yaml");
    assert.equal(closed.code, 2);
    assert.match(closed.stdout, /^✗ head .*\(and 1 more\)$/m);
    assert.match(closed.stdout, /^ {4}evil\.py: head adds a file, final\.patch does not$/m);
    assert.ok(!closed.stdout.includes("\u001b"), "nothing of a name is obeyed");
    assert.match(closed.stdout, /^gate {5}closed$/m);
    assert.match(closed.stdout, /^next {5}merge only what was proved/m);
  }));

Deno.test("pp gate --json: the document, for open and closed", () =>
  onFixture(async ({ cwd, main, fix }) => {
    const result = await gate(cwd, "--key", "ci.pub.pem", "--json");
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stderr, "");
    const document = json(result);
    assert.equal(document.format, "veripatch-gate/v1");
    assert.deepEqual(
      [document.verdict, document.success, document.exit, document.merge_base, document.head, document.base],
      ["open", true, 0, main, { name: "fix", commit: fix }, { name: "main", commit: main }],
    );
    assert.equal(document.signers[0].key_id, testKey(1).publicKey.id);
    assert.deepEqual(Object.keys(document.checks[0]), [
      "id",
      "verdict",
      "required",
      "detail",
      "findings",
      "notes",
    ]);
    const closed = json(await gate(cwd, "--key", "other.pub.pem", "--json"));
    assert.deepEqual([closed.verdict, closed.success, closed.exit, closed.statement], [
      "closed",
      false,
      2,
      null,
    ]);
    const signature = closed.checks.find((check: { id: string }) => check.id === "signature");
    assert.equal(signature.findings[0].code, "not_by_trusted_key");
  }));

Deno.test("pp gate: a bare repository, a packed bundle, a shared secret that nobody used", () =>
  onFixture(async ({ cwd }) => {
    execFileSync("git", ["clone", "-q", "--bare", join(cwd, "repo"), join(cwd, "bare.git")]);
    assert.equal((await pp(["bundle", "pack", "proof_bundle", "-o", "proof.ppb"], { cwd })).code, 0);
    const call = ["gate", "proof.ppb", "--repo", "bare.git", "--base", "main", "--head", "fix"];
    const result = await pp([...call, "--trust", "trust.yaml"], { cwd });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const env = { PP_ATTEST_HMAC_KEY: "0123456789abcdef0123456789abcdef" };
    const hmac = await pp([...call, "--json"], { cwd, env });
    assert.equal(hmac.code, 2);
    const bytes = await Deno.readFile(join(cwd, "proof.ppb"));
    bytes[bytes.length >> 1]! ^= 1;
    await Deno.writeFile(join(cwd, "proof.ppb"), bytes);
    const tampered = await pp([...call, "--trust", "trust.yaml", "--json"], { cwd });
    assert.ok([2, 65].includes(tampered.code), "never open");
  }));

Deno.test("pp gate: a trust file, a key or a policy that the change brings along closes it", () =>
  onFixture(async ({ cwd, root }) => {
    git(root, "checkout", "-q", "fix");
    const mine = await Deno.readTextFile(join(cwd, "trust.yaml"));
    writeFiles(root, { "trust.yaml": mine, "keys/ci.pem": await Deno.readTextFile(join(cwd, "ci.pub.pem")) });
    commitAll(root);
    await Deno.symlink(join(root, "trust.yaml"), join(cwd, "linked.yaml"));
    const cases = [["--trust", "repo/trust.yaml"], ["--trust", "linked.yaml"], ["--key", "repo/keys/ci.pem"]];
    for (const flags of cases) {
      const { code, stdout } = await gate(cwd, ...flags);
      assert.equal(code, 2);
      assert.match(
        stdout,
        /^✗ verifier_files .*this is the (trust file|key) that judges it/m,
        flags.join(" "),
      );
    }
  }));

Deno.test("pp gate: keys in a checkout of the change, by a middle link or beside a bare repository, close it", () =>
  onFixture(async ({ cwd, root }) => {
    const mine = await Deno.readTextFile(join(cwd, "trust.yaml"));
    git(root, "checkout", "-q", "main");
    writeFiles(root, { "fixtures/sample.yaml": mine, "ci/real.yaml": "nobody\n" });
    await Deno.symlink("current.yaml", join(root, "ci/trust.yaml"));
    await Deno.symlink("real.yaml", join(root, "ci/current.yaml"));
    commitAll(root);
    git(root, "checkout", "-q", "-b", "evil");
    await Deno.remove(join(root, "ci/current.yaml"));
    await Deno.symlink("../fixtures/sample.yaml", join(root, "ci/current.yaml"));
    commitAll(root);
    execFileSync("git", ["clone", "-q", "--bare", join(cwd, "repo"), join(cwd, "bare.git")]);
    for (const repo of ["repo", "bare.git"]) {
      const call = ["gate", "proof_bundle", "--repo", repo, "--base", "main", "--head", "evil"];
      const { code, stdout } = await pp([...call, "--trust", "repo/ci/trust.yaml"], { cwd });
      assert.equal(code, 2);
      assert.match(
        stdout,
        /^✗ verifier_files .*ci\/current\.yaml: this is the trust file that judges it/m,
        repo,
      );
    }
  }));

Deno.test("pp gate -o: an ending that says no format is wrong usage, unless --format says it", () =>
  onFixture(async ({ cwd }) => {
    for (const name of ["gate.html", "gate", "gate.json.bak"]) {
      const { code, stderr } = await gate(cwd, "--trust", "trust.yaml", "-o", name);
      assert.equal(code, 64, name);
      assert.match(stderr, /\.txt, \.json, \.sarif, \.xml, \.md/);
    }
    assert.equal((await gate(cwd, "--trust", "trust.yaml", "-o", "gate", "--format", "junit")).code, 0);
    assert.match(await Deno.readTextFile(join(cwd, "gate")), /^<\?xml/);
  }));

Deno.test("pp gate -o: a pipe or a device is never replaced by a file", () =>
  onFixture(async ({ cwd }) => {
    execFileSync("mkfifo", [join(cwd, "pipe.md")]);
    const { code, stderr } = await gate(cwd, "--trust", "trust.yaml", "-o", "pipe.md");
    assert.equal(code, 77);
    assert.match(stderr, /no regular file/);
    assert.ok((await Deno.lstat(join(cwd, "pipe.md"))).isFifo);
  }));

Deno.test("pp gate: what cannot be judged at all is no closed gate but an error", () =>
  onFixture(async ({ cwd }) => {
    const trust = ["--trust", "trust.yaml"];
    const cases: [args: string[], code: number, said: RegExp][] = [
      [CALL, 77, /no key to judge/],
      [[...CALL, ...trust, "--head", "nowhere"], 64, /--head: there is no commit "nowhere"/],
      [[...CALL, ...trust, "--head=--upload-pack=x"], 64, /cannot name a commit/],
      [[...CALL, ...trust, "--repo", "/"], 64, /lies in no git repository/],
      [["gate", "nothing", ...CALL.slice(2), ...trust], 65, /there is no bundle at/],
      [[...CALL, "--trust", "missing.yaml"], 64, /missing\.yaml/],
      [[...CALL, ...trust, "--policy", "missing.yaml"], 64, /no policy file/],
      [[...CALL, ...trust, "--format", "xml"], 64, /format/],
      [[...CALL, ...trust, "--max-age", "soon"], 64, /--max-age/],
      [[...CALL, "--key", "ci.pub.pem", "--require-replay", "trust.yaml"], 77, /--replayer-key/],
      [[...CALL, ...trust, "--require-replay", "trust.yaml"], 77, /role replayer/],
      [["gate", "proof_bundle", ...trust], 64, /--base/],
    ];
    for (const [args, code, said] of cases) {
      const result = await pp(args, { cwd });
      assert.equal(result.code, code, `${args.join(" ")}\n${result.stderr}`);
      assert.match(result.stderr, said, args.join(" "));
    }
  }));

Deno.test("pp gate: SARIF, JUnit and Markdown of a closed gate, with everything hostile escaped", () =>
  onFixture(async ({ cwd, root }) => {
    git(root, "checkout", "-q", "fix");
    const hostile = "<img src=x onerror=alert(1)>|`\"&'\n@team.py";
    writeFiles(root, {
      [hostile]: "x\n",
      "calc.py": "def add(a, b):\n    return b + a\n",
      "sp ace/%41": "x",
    });
    commitAll(root);
    const outputs = ["gate.sarif", "gate.xml", "gate.md", "gate.txt", "gate.json"].flatMap((
      name,
    ) => ["-o", name]);
    const { code, stdout } = await gate(cwd, "--trust", "trust.yaml", ...outputs);
    assert.equal(code, 2);
    assert.match(stdout, /^gate {5}closed$/m, "people still get the text");
    const read = (name: string) => Deno.readTextFileSync(join(cwd, name));
    assert.equal(JSON.parse(read("gate.json")).verdict, "closed");
    assert.equal(read("gate.txt"), stdout);

    const sarif = JSON.parse(read("gate.sarif"));
    assert.equal(sarif.version, "2.1.0");
    const [run] = sarif.runs;
    assert.equal(run.tool.driver.rules.length, 15);
    assert.equal(run.results.length, 3);
    // deno-lint-ignore no-explicit-any -- the document's fields are what is asserted
    for (const result of run.results as any[]) {
      assert.equal(result.ruleId, "gate/head");
      assert.equal(run.tool.driver.rules[result.ruleIndex].id, result.ruleId);
      assert.ok(["error", "warning", "note", "none"].includes(result.level));
      assert.ok(result.message.text.length > 0);
      const { uri } = result.locations[0].physicalLocation.artifactLocation;
      assert.match(uri, /^[A-Za-z0-9\-._~!$&'()*+,;=@%/]+$/);
    }
    const at = new Map(run.results.map((r: { locations: { physicalLocation: unknown }[] }) => {
      // deno-lint-ignore no-explicit-any -- the document's fields are what is asserted
      const place = r.locations[0]!.physicalLocation as any;
      return [decodeURIComponent(place.artifactLocation.uri), place.region?.startLine];
    }));
    assert.deepEqual([at.get("calc.py"), at.has(hostile), at.has("sp ace/%41")], [2, true, true]);

    const xml = read("gate.xml");
    const parsed = execFileSync("python3", [
      "-c",
      "import sys,json,xml.etree.ElementTree as e; r=e.parse(sys.argv[1]).getroot();" +
      "print(json.dumps([r.attrib, [(c.attrib['name'], [f.attrib for f in c]) for c in r.iter('testcase')]]))",
      join(cwd, "gate.xml"),
    ]).toString();
    const [attributes, cases] = JSON.parse(parsed);
    assert.deepEqual([attributes.tests, attributes.failures, attributes.skipped], ["15", "1", "1"]);
    assert.equal(cases.length, 15);
    assert.ok(!xml.includes("<img"));

    const markdown = read("gate.md");
    assert.match(markdown, /^## ❌ Gate closed$/m);
    for (const line of markdown.split("\n").filter((line) => line.includes("onerror"))) {
      assert.match(line.replaceAll(/(`+)(?!`).*?[^`]\1(?!`)/g, ""), /^[^<@]*$/, "hostile words only in code");
    }
    assert.ok(!/^@team/m.test(markdown));
  }));

Deno.test("pp gate: an open gate in every format", () =>
  onFixture(async ({ cwd }) => {
    const told = async (format: string) =>
      (await gate(cwd, "--trust", "trust.yaml", "--format", format)).stdout;
    assert.deepEqual(JSON.parse(await told("sarif")).runs[0].results, []);
    assert.match(await told("junit"), /tests="15" failures="0" errors="0" skipped="1"/);
    assert.match(await told("markdown"), /^## ✅ Gate open$/m);
    assert.equal(JSON.parse(await told("json")).verdict, "open");
  }));

Deno.test("pp gate: what only the policy lets pass is flagged in every format of an open gate", () =>
  onFixture(async ({ cwd }) => {
    const policy = { ...parseYaml(POLICY), policy: { sandbox: { container_image: "python:3.12" } } };
    writeFiles(cwd, {
      "mine.json": JSON.stringify({
        ...policy,
        policy: { ...policy.policy, protect: { also: ["calc.py"] } },
      }),
    });
    const flags = ["--trust", "trust.yaml", "--policy", "mine.json"];
    assert.equal((await gate(cwd, ...flags)).code, 2);
    const told = async (format: string) => {
      const result = await gate(cwd, ...flags, "--allow-protected", "calc.py", "--format", format);
      assert.equal(result.code, 0, result.stdout);
      return result.stdout;
    };
    assert.match(await told("text"), /^! tests .*calc\.py, which is protected\n {4}calc\.py: /m);
    assert.match(await told("text"), /^policy {3}mine\.json$/m);
    const [result] = JSON.parse(await told("sarif")).runs[0].results;
    assert.deepEqual([result.level, result.ruleId], ["note", "gate/tests"]);
    assert.match(await told("junit"), /<system-out>calc\.py: .*protected_touched/);
    assert.match(await told("markdown"), /^\| ⚠️ \| Tests, .*\n[^]*^- `calc\.py`: /m);
  }));

const EXAMPLES = new URL("../../examples/ci/", import.meta.url).pathname;

function script(name: string, args: string[], cwd: string, env: Record<string, string> = {}) {
  const { code, stdout, stderr } = new Deno.Command("sh", {
    args: [join(EXAMPLES, name), ...args],
    cwd,
    env: { PP: PP.join(" "), NO_COLOR: "1", ...env },
    stdin: "null",
  }).outputSync();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("examples/ci: a proof is published beside its commit, and gate.sh judges a bare clone by it", () =>
  // deno-lint-ignore require-await -- everything in it runs to its end
  onFixture(async ({ cwd, root, fix }) => {
    const remote = join(cwd, "remote.git");
    execFileSync("git", ["clone", "-q", "--bare", root, remote]);
    git(root, "remote", "add", "origin", remote);
    const published = script("publish_proof.sh", [join(cwd, "proof_bundle"), "fix"], root);
    assert.equal(published.code, 0, published.stderr);
    const server = join(cwd, "server.git");
    execFileSync("git", ["clone", "-q", "--bare", remote, server]);
    const env = {
      PP_TRUST: join(cwd, "trust.yaml"),
      PP_REPO: server,
      PP_REPORTS: join(cwd, "reports"),
      PP_MAX_AGE: "9999w",
    };
    const open = script("gate.sh", ["fix", "main"], cwd, env);
    assert.equal(open.code, 0, open.stdout + open.stderr);
    for (const name of ["gate.md", "gate.sarif", "gate.xml"]) Deno.statSync(join(cwd, "reports", name));
    assert.equal(git(server, "rev-parse", `refs/proofs/${fix}`).length, 40);

    const stale = script("gate.sh", ["fix", "main"], cwd, { ...env, PP_MAX_AGE: "1s" });
    assert.equal(stale.code, 2);
    assert.match(stale.stdout, /✗ freshness/);
    const unproved = script("gate.sh", ["main", "fix"], cwd, env);
    assert.equal(unproved.code, 2);
    assert.match(unproved.stderr, /nobody published a proof/);
    assert.equal(script("gate.sh", ["fix"], cwd, env).code, 64);
    assert.equal(script("gate.sh", ["-h", "main"], cwd, env).code, 64);
    const elsewhere = script("gate.sh", ["fix", "main", join(cwd, "proof_bundle")], cwd, {
      ...env,
      PP_REPLAY: join(cwd, "trust.yaml"),
    });
    assert.notEqual(elsewhere.code, 0, "a summary that is none");
  }));

Deno.test("examples/ci/pre-receive: a server takes onto main exactly what is proved", () =>
  // deno-lint-ignore require-await -- everything in it runs to its end
  onFixture(async ({ cwd, root, main, fix }) => {
    const server = join(cwd, "server.git");
    execFileSync("git", ["init", "-q", "--bare", "-b", "main", server]);
    git(root, "remote", "add", "origin", server);
    git(root, "push", "-q", "origin", "main");
    Deno.copyFileSync(join(EXAMPLES, "pre-receive"), join(server, "hooks", "pre-receive"));
    Deno.chmodSync(join(server, "hooks", "pre-receive"), 0o755);
    const push = (what: string) => {
      const { code, stderr } = new Deno.Command("git", {
        args: ["push", "origin", what],
        cwd: root,
        env: {
          ...{ PP: PP.join(" "), NO_COLOR: "1", GATE_SH: join(EXAMPLES, "gate.sh") },
          ...{ PP_TRUST: join(cwd, "trust.yaml"), PP_MAX_AGE: "9999w" },
        },
        stdin: "null",
      }).outputSync();
      return { code, stderr: new TextDecoder().decode(stderr) };
    };
    const early = push("fix:main");
    assert.equal(early.code, 1);
    assert.match(early.stderr, /nobody published a proof/);
    // The commit itself is new to the server while its hook decides.
    assert.equal(script("publish_proof.sh", [join(cwd, "proof_bundle"), "fix"], root).code, 0);
    git(root, "checkout", "-q", "-b", "attack", "fix");
    writeFiles(root, { "evil.py": "x" });
    const evil = commitAll(root);
    assert.equal(script("publish_proof.sh", [join(cwd, "proof_bundle"), "attack"], root).code, 0);
    const closed = push("attack:main");
    assert.equal(closed.code, 1, closed.stderr);
    assert.match(closed.stderr, /✗ head .*evil\.py/);
    assert.equal(git(server, "rev-parse", "main"), main, `not ${evil}`);
    const open = push("fix:main");
    assert.equal(open.code, 0, open.stderr);
    assert.equal(git(server, "rev-parse", "main"), fix);
    assert.equal(push(":main").code, 1, "deleted");
  }));

Deno.test("examples/ci: the workflow and the job are YAML, see the whole history and run what no change can edit", () => {
  const read = (name: string) => parseYaml(Deno.readTextFileSync(join(EXAMPLES, name)));
  const workflow = read("github.yml");
  assert.deepEqual(Object.keys(workflow.on), ["pull_request_target"]);
  const { steps } = workflow.jobs.gate;
  assert.equal(steps[0].with["fetch-depth"], 0);
  assert.equal(steps[0].with.ref, undefined, "the base branch is checked out, never the change");
  const scripts = steps.flatMap((step: { run?: string }) => step.run ?? []).join("\n");
  assert.ok(!scripts.includes("${{"), "nothing of an event is pasted into a script");
  assert.match(scripts, /gate\.sh "\$HEAD" "\$BASE"/);
  assert.match(scripts, /install_pp\.sh "\$PP_URL" "\$PP_SHA256"/);
  const job = read("gitlab.yml")["veripatch-gate"];
  assert.match(job.before_script[0], /install_pp\.sh "\$PP_URL" "\$PP_SHA256" \S+$/);
  assert.equal(job.variables.GIT_DEPTH, "0");
  assert.equal(job.artifacts.reports.junit, "gate/gate.xml");
  for (const name of ["gate.sh", "publish_proof.sh", "pre-receive", "install_pp.sh"]) {
    execFileSync("sh", ["-n", join(EXAMPLES, name)]);
    assert.ok((Deno.statSync(join(EXAMPLES, name)).mode! & 0o111) !== 0, name);
  }
});

Deno.test("examples/ci/install_pp.sh: what has another digest, or is not there, leaves nothing behind", async () => {
  const program = "#!/bin/sh\necho installed\n";
  const digest = createHash("sha256").update(program).digest("hex");
  const serve = (request: Request) =>
    new URL(request.url).pathname === "/pp" ? new Response(program) : new Response("no", { status: 404 });
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, serve);
  const at = `http://127.0.0.1:${server.addr.port}`;
  await inTempDir(async (cwd) => {
    const install = async (...args: string[]) => {
      const command = new Deno.Command("sh", { args: [join(EXAMPLES, "install_pp.sh"), ...args], cwd });
      const { code, stderr } = await command.output();
      return { code, stderr: new TextDecoder().decode(stderr), left: [...Deno.readDirSync(cwd)].length };
    };
    assert.match(
      (await install(`${at}/pp`, "0".repeat(64), cwd)).stderr,
      new RegExp(`digest ${digest}, not 0`),
    );
    assert.deepEqual((await install(`${at}/pp`, "", cwd)).left, 0);
    assert.notEqual((await install(`${at}/other`, digest, cwd)).code, 0);
    assert.equal((await install(`${at}/other`, digest, cwd)).left, 0);
    assert.deepEqual(await install(`${at}/pp`, digest, cwd), { code: 0, stderr: "", left: 1 });
    const { stdout } = await new Deno.Command(`${cwd}/pp`).output();
    assert.equal(new TextDecoder().decode(stdout), "installed\n");
  });
});
