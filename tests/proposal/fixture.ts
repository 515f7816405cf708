import { newSessionId } from "../../src/bundle/session_id.ts";
import { capabilityRules } from "../../src/cli/capability_rules.ts";
import { byteStringOfText } from "../../src/patch/bytes.ts";
import { defaultPolicy } from "../../src/policy/defaults.ts";
import { policyDigest } from "../../src/policy/digest.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { ChangePorts, CheckPlan } from "../../src/proposal/checks.ts";
import type { ProposalStep, StepPorts } from "../../src/proposal/steps.ts";
import { storedWorkspace } from "../../src/proposal/version_workspace.ts";
import type { SessionPlan } from "../../src/prove/ports.ts";
import { buildTrees } from "../../src/store/artifact/tree.ts";
import { addVersion } from "../../src/store/log/change.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { Store, Version } from "../../src/store/store.ts";
import { treeSitterTrees } from "../../src/syntax/tree_sitter_trees.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { manifestDigest, type ManifestEntry } from "../../src/vocabulary/manifest.ts";
import { comparePaths, parentsOf } from "../../src/vocabulary/path.ts";
import { fakeSpec } from "../prove/session_fixture.ts";

export const NOW = new Date("2026-03-01T10:00:00Z");
const encoder = new TextEncoder();

/** A store in memory. */
export function emptyStore(): Store {
  return memoryStore({ actor: "tester", now: NOW });
}

export function author(store: Store, actor = "tester", now = NOW) {
  return { storeId: store.records.storeId, actor, now };
}

/** Stores files as the next version, as a workspace with them would be. */
export function storeVersion(
  store: Store,
  files: Readonly<Record<string, string | Uint8Array>>,
  artifact = "api",
): Version {
  const entries: ManifestEntry[] = parentsOf(Object.keys(files)).map((path) => ({
    ...{ path, mode: "040000" as const, size: 0, sha256: sha256("") },
  }));
  const writer = store.blobs.writer();
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    writer.put(bytes, sha256(bytes));
    entries.push({ path, mode: "100644", size: bytes.length, sha256: sha256(bytes) });
  }
  writer.flush();
  entries.sort((a, b) => comparePaths(a.path, b.path));
  const { root, trees } = buildTrees(entries);
  const bodies = [...trees].map(([digest, { body }]) => [digest, body] as const);
  const what = { artifact, root, manifest: manifestDigest(entries), message: "", restores: null };
  const counted = { files: Object.keys(files).length, bytes: entries.reduce((sum, e) => sum + e.size, 0) };
  return store.records.write((rows) =>
    addVersion(rows, author(store), { ...what, ...counted, trees: bodies }).version
  );
}

/** A stored tree with these files, and its store. */
export function storedTree(files: Readonly<Record<string, string | Uint8Array>>) {
  const store = emptyStore();
  const version = storeVersion(store, files);
  return { store, version, base: storedWorkspace(store, version.root, "api@1") };
}

export function patchOf(text: string, name = "fix.diff"): ProposalStep {
  return { kind: "patch", text: byteStringOfText(text), name };
}

/** A diff that makes one line of a file another. */
export function lineDiff(path: string, before: string, after: string, line = 1): string {
  return `--- a/${path}\n+++ b/${path}\n@@ -${line} +${line} @@\n-${before}\n+${after}\n`;
}

export function planOf(change: (policy: Policy) => Policy = (policy) => policy): CheckPlan & {
  readonly session: string;
} {
  const config = defaultPolicy();
  return { config: { ...config, policy: change(config.policy) }, keptOut: [], inUse: [], session: "S" };
}

const nothing = { text: (text: string) => Promise.resolve({ text, redactions: [] }) };

/** Ports for steps that ask nobody. */
export function stepPorts(extra: Partial<StepPorts> = {}): StepPorts {
  return {
    edit: () => Promise.reject(new Error("no edits here")),
    proposer: () => Promise.reject(new Error("nobody is asked here")),
    syntax: {
      check: () => Promise.resolve("unknown"),
      enclosing: () => Promise.resolve(null),
      imports: () => Promise.resolve([]),
    },
    redact: nothing.text,
    findSecrets: () => Promise.resolve([]),
    gitAgrees: () => Promise.resolve({ verdict: "no_git" }),
    signal: new AbortController().signal,
    ...extra,
  };
}

let rules: ReturnType<typeof capabilityRules> | undefined;

export async function changePorts(extra: Partial<ChangePorts> = {}): Promise<ChangePorts> {
  return {
    safety: { trees: treeSitterTrees(), rules: await (rules ??= capabilityRules()) },
    gitAgrees: () => Promise.resolve({ verdict: "agrees" }),
    findSecrets: () => Promise.resolve([]),
    ...extra,
  };
}

/** A session of `check`. */
export function sessionPlan(
  change: (policy: Policy) => Policy = (policy) => policy,
  repeat = 1,
): SessionPlan {
  const { config, keptOut } = planOf(change);
  const session = newSessionId(NOW, new Uint8Array(8));
  return {
    ...{ session, toolVersion: "0.0.0", config, keptOut, repeat, policySource: null },
    targets: [{ name: "check", command: "check", argv: ["check"], shell: false }],
    policyDigest: policyDigest(config),
    spec: fakeSpec(session),
  };
}
