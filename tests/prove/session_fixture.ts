import { newSessionId } from "../../src/bundle/session_id.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { policyDigest } from "../../src/policy/digest.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { ProposalRequest, Proposer, ProposerAnswer } from "../../src/propose/proposer.ts";
import type { SessionPlan, SessionPorts } from "../../src/prove/ports.ts";
import type { Concluded } from "../../src/prove/conclude.ts";
import { prove, type SessionOutcome } from "../../src/prove/prove.ts";
import { type FakeProgram, type FakeSandbox, fakeSandbox } from "../../src/sandbox/fake/fake.ts";
import type { SandboxSpec } from "../../src/sandbox/sandbox.ts";
import type { Syntax } from "../../src/syntax/syntax.ts";
import type { Redaction } from "../../src/vocabulary/redaction.ts";
import type { ReportSource } from "../../src/vocabulary/test_report.ts";
import type { SessionEvent } from "../../src/vocabulary/session.ts";
import { directoryWorkspace } from "../../src/workspace/directory.ts";

export interface FakeSession {
  /** Path to content of the base. */
  readonly files: Readonly<Record<string, string>>;
  /** What `check` does in a copy. */
  readonly check: FakeProgram;
  /** One diff per attempt; an answer for anything else. */
  readonly proposals: readonly (string | ProposerAnswer)[];
  readonly policy?: (policy: Policy) => Policy;
  readonly repeat?: number;
  /** Of the target `check`. */
  readonly report?: ReportSource;
  readonly signal?: AbortSignal;
  readonly secrets?: (text: string) => readonly Redaction[];
  readonly syntax?: Partial<Syntax>;
  readonly keptOut?: readonly string[];
  /** Names of targets; each runs `check` with its name. Left out: one, `check` alone. */
  readonly targets?: readonly string[];
  readonly gitAgrees?: SessionPorts["gitAgrees"];
  readonly deliver?: (concluded: Concluded) => Promise<void>;
}

export interface SessionSeen {
  readonly outcome: SessionOutcome;
  readonly sandbox: FakeSandbox;
  readonly events: readonly SessionEvent[];
  readonly requests: readonly ProposalRequest[];
}

/** Runs a whole session in memory; the workspace is a real folder that is removed afterwards. */
export async function fakeSession(session: FakeSession): Promise<SessionSeen> {
  const events: SessionEvent[] = [];
  const requests: ProposalRequest[] = [];
  return await inFakeWorld(session, async (root, sandbox) => {
    const config = { ...defaultPolicy(), policy: (session.policy ?? ((p) => p))(defaultPolicy().policy) };
    const { outcome } = await prove({
      ...planFor(config, session),
      ...session.targets === undefined ? {} : { targets: session.targets.map(targetNamed) },
    }, {
      sandbox,
      workspace: await directoryWorkspace(root),
      proposer: scripted(session.proposals, requests),
      syntax: {
        check: () => Promise.resolve("unknown"),
        enclosing: () => Promise.resolve(null),
        imports: () => Promise.resolve([]),
        ...session.syntax,
      },
      redact: (text) =>
        Promise.resolve({ text: text.replaceAll("hunter2hunter2", "[REDACTED:test]"), redactions: [] }),
      findSecrets: (text) => Promise.resolve(session.secrets?.(text) ?? []),
      gitAgrees: session.gitAgrees ?? (() => Promise.resolve({ verdict: "no_git" })),
      now: Date.now,
      emit: (event) => events.push(event),
      signal: session.signal ?? new AbortController().signal,
    }, session.deliver ?? (() => Promise.resolve()));
    return { outcome, sandbox, events, requests };
  });
}

/** A real folder with the files and a fake sandbox that knows `check`; both must be left as if never used. */
export async function inFakeWorld<T>(
  { files, check }: Pick<FakeSession, "files" | "check">,
  use: (root: string, sandbox: FakeSandbox) => Promise<T>,
): Promise<T> {
  const root = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  const sandbox = fakeSandbox({ programs: { check } });
  try {
    for (const [path, content] of Object.entries(files)) {
      await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, content);
    }
    return await use(root, sandbox);
  } finally {
    await Deno.remove(root, { recursive: true });
    if (sandbox.notClosed().length > 0 || sandbox.notDiscarded().length > 0) {
      // deno-lint-ignore no-unsafe-finally -- what is left behind is the failure to report
      throw new Error(`left behind: ${[...sandbox.notClosed(), ...sandbox.notDiscarded()].join(", ")}`);
    }
  }
}

function targetNamed(name: string): SessionPlan["targets"][number] {
  return { name, command: `check ${name}`, argv: ["check", name], shell: false };
}

function planFor(
  config: SessionPlan["config"],
  { repeat = 1, keptOut = [], report }: Pick<FakeSession, "repeat" | "keptOut" | "report">,
): SessionPlan {
  const id = newSessionId(new Date(), crypto.getRandomValues(new Uint8Array(8)));
  return {
    session: id,
    toolVersion: "0.0.0",
    targets: [{
      ...{ name: "check", command: "check", argv: ["check"], shell: false },
      ...(report === undefined ? {} : { report }),
    }],
    config,
    policyDigest: policyDigest(config),
    policySource: null,
    keptOut,
    repeat,
    spec: fakeSpec(id),
  };
}

export function fakeSpec(session: string): SandboxSpec {
  return {
    session,
    image: "none",
    workdir: "/workspace",
    user: "65534:65534",
    runtime: null,
    network: "deny",
    limits: { cpus: null, memoryBytes: null, pids: null, fileBytes: null, diskBytes: null },
    deadline: Date.now() + 60_000,
    parallel: 2,
    pull: false,
    keep: false,
  };
}

function scripted(proposals: FakeSession["proposals"], requests: ProposalRequest[]): Proposer {
  return {
    name: "scripted",
    supply: proposals.length,
    propose: (request) => {
      requests.push(request);
      const next = proposals[request.attempt - 1];
      if (next === undefined) return Promise.resolve({ kind: "none", reason: "the script is over" });
      return Promise.resolve(typeof next === "string" ? proposal(next) : next);
    },
  };
}

export function proposal(diff: string): ProposerAnswer {
  return { kind: "proposal", diff, rationale: "because", riskNotes: "", confidence: null, source: "script" };
}
