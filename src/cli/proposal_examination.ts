import { resolve } from "node:path";
import type { FileInUse } from "../approve/in_use.ts";
import type { ApprovalTerms } from "../approve/judge.ts";
import { signProposal } from "../approve/statement.ts";
import { removeStaleBundles } from "../bundle/temporary.ts";
import { prepareArtifacts } from "../bundle/write.ts";
import { type LoadedPolicy, loadPolicy } from "../policy/load.ts";
import { policyDigest } from "../policy/digest.ts";
import type { CheckedChange } from "../proposal/checks.ts";
import {
  examine,
  type Examined,
  type ExaminePlan,
  type ProposedDraft,
  proposeDraft,
} from "../proposal/examine.ts";
import { exactly, keptOutOf, proveProposal } from "../proposal/proof.ts";
import type { SessionPlan } from "../prove/ports.ts";
import type { FoundRevision } from "../store/proposal/find.ts";
import type { Sha256 } from "../vocabulary/digest.ts";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import type { Redact } from "../vocabulary/redaction.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import { VERSION } from "../version.ts";
import { termsUnder } from "./approval_terms.ts";
import { signingKey } from "./key_input.ts";
import { count } from "./output.ts";
import type { PassphraseFlags } from "./passphrase.ts";
import { keepBundle, proofsOf } from "./proof_bundle.ts";
import { sessionProgress } from "./progress.ts";
import { type SessionAttestation, sessionAttestation } from "./session_attestation.ts";
import { freshSessionId, sandboxSpec, withFlags } from "./session_plan.ts";
import type { StoreFlags, StoreUse } from "./store_asked.ts";
import { targetsOf } from "./targets.ts";
import { wireSafety, wireSyntax } from "./wire/syntax.ts";
import { wireChecks, wireStoredWorld } from "./wire/world.ts";

export interface CheckingFlags extends StoreFlags, PassphraseFlags {
  readonly policy?: string;
  /** False for `--no-proof`. */
  readonly proof?: boolean;
  readonly sign?: string;
  readonly trust?: string;
  readonly image?: string;
  readonly pull?: boolean;
  readonly artifacts?: string;
}

const NOTHING_SIGNED: SessionAttestation = {
  ...{ enabled: false, mode: "none", keys: [], nonce: null, keyFiles: [] },
};

/** By what a proposal will be examined: read before anything is done. */
export interface Examination {
  readonly flags: CheckingFlags;
  readonly policy: LoadedPolicy;
  /** Empty where nothing is proved. */
  readonly targets: readonly ProofTarget[];
  /** Paths that no patch may touch: the policy's. */
  readonly keptOut: readonly string[];
  readonly inUse: readonly FileInUse[];
  readonly noProof: ExaminePlan["noProof"];
  readonly attestation: SessionAttestation;
  /** By which rules of the policy, and approvals that a clean rebase keeps, are judged. */
  readonly terms: (now: Date) => ApprovalTerms;
  readonly signer: {
    readonly keyId: Sha256;
    readonly sign: (s: Parameters<typeof signProposal>[0]) => string;
  } | null;
}

/**
 * Reads policy, targets and keys.
 * @param root the workspace, or where the call stands: whose policy counts
 * @throws Failure of what cannot be read; `proposal_unsigned` (denied) when the policy wants proposals signed
 */
export async function readExamination(
  root: string,
  flags: CheckingFlags,
  stdinTaken: boolean,
): Promise<Examination> {
  const policy = await loadPolicy(root, flags.policy);
  const { config } = policy;
  const noProof = flags.proof === false
    ? "not_asked_for" as const
    : config.proof_targets.length === 0
    ? "no_targets" as const
    : null;
  const targets = noProof === null ? targetsOf({ verb: "prove" }, config, policy.source) : [];
  // A key that signs the proposal signs its proof, too.
  const { sign, ...others } = flags;
  const attestation = noProof === null
    ? await sessionAttestation(
      config,
      sign === undefined ? others : { ...others, sign: [sign] },
      root,
      stdinTaken,
    )
    : NOTHING_SIGNED;
  const signer = flags.sign === undefined ? null : await signerOf(flags.sign, flags, attestation);
  if (signer === null && config.policy.approval.signed_proposals) {
    throw new Failure("denied", "proposal_unsigned", "the policy wants proposals to be signed", {
      hint: "name your private key with --sign KEY",
    });
  }
  const terms = await termsUnder(policy, flags.trust, root);
  const { inUse } = terms(new Date());
  const keptOut = inUse.filter(({ what }) => what === "policy").map(({ path }) => path);
  const { proposers } = terms(new Date());
  const known = proposers.owners.size === 0 || signer === null || proposers.owners.has(signer.keyId);
  if (config.policy.approval.signed_proposals && !known) {
    throw new Failure("denied", "proposer_untrusted", "the trust file does not name the key of --sign", {
      hint: "the policy takes proposals signed by a key of the trust file: pp trust add NAME PUBLIC.pem",
    });
  }
  return { flags, policy, targets, keptOut, inUse, noProof, attestation, signer, terms };
}

async function signerOf(
  spec: string,
  flags: PassphraseFlags,
  { keys }: SessionAttestation,
): Promise<NonNullable<Examination["signer"]>> {
  const read = keys.find((key) => key.kind === "ed25519");
  const key = read ?? await signingKey(spec, flags);
  return { keyId: key.publicKey.id, sign: (statement) => signProposal(statement, [key]) };
}

/** What came of a draft. */
export interface ExaminedDraft {
  readonly examined: Examined;
  readonly proposed: ProposedDraft;
  /** Where the bundle of the proof is; null without one. */
  readonly bundle: string | null;
}

/**
 * Checks a draft, proves it where the policy says so, and proposes it.
 */
export async function examineDraft(
  examination: Examination,
  use: StoreUse,
  found: FoundRevision,
  rebasedFrom: ExaminePlan["rebasedFrom"],
): Promise<ExaminedDraft> {
  const { policy, keptOut, inUse, noProof, targets, signer } = examination;
  const { store, signal, by, counter } = use;
  const env = Deno.env.toObject();
  let bundle: string | null = null;
  const session = freshSessionId();
  const deadline = Date.now() + policy.config.policy.limits.session_sec * 1000;
  const judges = await wireChecks({ session, deadline }, env);
  try {
    const plan: ExaminePlan = {
      config: policy.config,
      policyDigest: policy.digest,
      keptOut: keptOutOf({ keptOut, targets }),
      inUse,
      checker: { version: VERSION, rules: await rulesDigest() },
      noProof,
      rebasedFrom,
    };
    const examined = await examine(store, found, plan, {
      ...judges,
      safety: {
        ...await wireSafety(),
        onFile: (done, all) => {
          if (signal.aborted) throw interrupted(signal.reason);
          counter.show(`scanning ${done} of ${count(all, "file")}`);
        },
      },
      signer,
      now: () => new Date(),
      doing: (what) => counter.show(what === "checks" ? "checking the result" : "proving"),
      prove: async (checked, name) => {
        const proved = await proveIn(examination, use, checked, name, judges.redact);
        bundle = proved.place;
        return proved.found;
      },
    });
    if (signal.aborted) throw interrupted(signal.reason);
    const now = new Date();
    const proposed = proposeDraft(store, { ...by, now }, found, examined, examination.terms(now));
    return { examined, proposed, bundle };
  } finally {
    await judges.dispose();
  }
}

async function rulesDigest(): Promise<Sha256> {
  return await (await import("./capability_rules.ts")).capabilityRulesDigest();
}

async function proveIn(
  { policy, targets, keptOut, flags, attestation }: Examination,
  { store, signal, counter }: StoreUse,
  checked: CheckedChange,
  name: string,
  redact: Redact,
) {
  const env = Deno.env.toObject();
  const artifacts = flags.artifacts === undefined ? proofsOf(store) : resolve(flags.artifacts);
  const image = flags.image === undefined ? {} : { image: flags.image };
  const config = withFlags(policy.config, image);
  const session = freshSessionId();
  const base: SessionPlan = {
    ...{ session, toolVersion: VERSION, targets, config, keptOut, policySource: policy.source },
    policyDigest: policyDigest(config),
    repeat: config.policy.verify.repeat,
    spec: sandboxSpec(session, config, { pull: flags.pull === true, keep: false }),
  };
  const exact = exactly(base);
  const plan = { ...exact, policyDigest: policyDigest(exact.config) };
  await prepareArtifacts(artifacts);
  await removeStaleBundles(artifacts);
  const world = await wireStoredWorld(checked.base, config.policy, plan.spec, env, {
    container: flags.image !== undefined,
  });
  counter.end();
  const progress = sessionProgress({ quiet: flags.json === true });
  let place = "";
  try {
    if (world.fallback !== null) progress.say(`sandbox  no container: ${world.fallback}`);
    const found = await proveProposal(checked, plan, name, {
      ...world,
      syntax: wireSyntax(),
      now: Date.now,
      emit: progress.emit,
      signal,
      keep: async (record) => {
        const kept = await keepBundle(artifacts, record, redact, attestation);
        place = kept.place;
        return kept;
      },
    });
    return { found, place };
  } finally {
    progress.end();
    await world.dispose();
  }
}
