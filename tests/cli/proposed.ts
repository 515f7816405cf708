import type { Evidence } from "../../src/approve/evidence.ts";
import type { ApprovalTerms } from "../../src/approve/judge.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { opensshLine } from "../../src/sign/openssh.ts";
import { renderPrivatePem } from "../../src/sign/pem.ts";
import type { Store } from "../../src/store/store.ts";
import { ANN, BOB, EVE, NOW, trusted } from "../approve/fixture.ts";
import { openAt } from "../store/fixture.ts";
import { authorOf } from "../contract/store_contract.ts";
import { proposeChange } from "../store/proposals.ts";
import { pp, type PpOptions, type PpResult, withFolder } from "./process.ts";

export interface Proposed {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly terms: ApprovalTerms;
  pp(args: readonly string[], options?: Partial<PpOptions>): Promise<PpResult>;
  json(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>>;
  /** Proposes one more change; made by `maker`, now. */
  propose(change?: Parameters<typeof proposeChange>[3]): Promise<{ evidence: string; proposal: number }>;
  /** The store, opened for one use. */
  inStore<T>(use: (store: Store) => T | Promise<T>): Promise<T>;
}

const TRUST = `format: veripatch-trust/v1
principals:
${
  [["ann", ANN], ["bob", BOB]].map(([name, key]) =>
    `  - name: ${name}\n    roles: [approver]\n    keys: [{public_key: "${
      opensshLine((key as typeof ANN).publicKey)
    }"}]\n`
  ).join("")
}`;

/** A folder with a store, a trust file for ann and bob, keys of them and of eve, and perhaps a policy. */
export async function withProposed(
  policy: string | null,
  use: (proposed: Proposed) => Promise<void>,
): Promise<void> {
  const files = {
    "trust.yaml": TRUST,
    ...(policy === null ? {} : { "pp.yaml": policy }),
    "ann.pem": renderPrivatePem(ANN),
    "bob.pem": renderPrivatePem(BOB),
    "eve.pem": renderPrivatePem(EVE),
  };
  await withFolder(files, async (cwd) => {
    for (const name of ["ann", "bob", "eve"]) Deno.chmodSync(`${cwd}/${name}.pem`, 0o600);
    const env = { PP_STORE: `${cwd}/store`, PP_ACTOR: "reviewer", HOME: cwd };
    const { config, digest } = await loadPolicy(cwd);
    const terms: ApprovalTerms = {
      ...{
        trusted: trusted(),
        proposers: trusted(),
        threshold: 1,
        policy: config.policy,
        policyDigest: digest,
        proofAsked: true,
        inUse: [],
      },
      now: NOW,
    };
    const inStore = async <T>(work: (store: Store) => T | Promise<T>): Promise<T> => {
      const store = openAt(`${cwd}/store`);
      try {
        return await work(store);
      } finally {
        store.close();
      }
    };
    const run = (args: readonly string[], options: Partial<PpOptions> = {}) =>
      pp(args, { cwd, ...options, env: { ...env, ...options.env } });
    await use({
      ...{ cwd, env, terms, pp: run, inStore },
      json: async (...args) => JSON.parse((await run([...args, "--json"])).stdout),
      propose: (change) =>
        inStore((store) => proposeChange(store, authorOf(store, "maker", new Date()), terms, change)),
    });
  });
}

/** Evidence that wants a person. */
export const ASKS: Partial<Evidence> = {
  safety: {
    ...{ outcome: "needs_approval", added: 1, removed: 0, widened: 0, unanalyzed: 0, missing_imports: 0 },
    delta_sha256: "0".repeat(64),
  },
};
