import { join, relative, resolve } from "node:path";
import type { ApprovalTerms } from "../approve/judge.ts";
import { signProposal } from "../approve/statement.ts";
import { attest, type Envelopes } from "../bundle/attest.ts";
import { PROOF_ENVELOPE } from "../bundle/claims.ts";
import { claimsOf } from "../bundle/claims_of.ts";
import { bundleFiles } from "../bundle/documents.ts";
import { inventoryOf } from "../bundle/inventory.ts";
import type { SessionRecord } from "../bundle/record.ts";
import { testResultStatement } from "../bundle/make_statement.ts";
import { removeStaleBundles } from "../bundle/temporary.ts";
import { prepareArtifacts, writeBundle } from "../bundle/write.ts";
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
import { exactly, type KeptBundle, keptOutOf, proveProposal } from "../proposal/proof.ts";
import type { SessionPlan } from "../prove/ports.ts";
import { parseEnvelope } from "../sign/dsse.ts";
import type { FoundRevision } from "../store/proposal/find.ts";
import { canonicalJson } from "../vocabulary/canonical_json.ts";
import { type Sha256, sha256 } from "../vocabulary/digest.ts";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import type { Redact } from "../vocabulary/redaction.ts";
import type { ProofTarget } from "../vocabulary/session.ts";
import { VERSION } from "../version.ts";
import { termsUnder } from "./approval_terms.ts";
import { signingKey } from "./key_input.ts";
import { count } from "./output.ts";
import type { PassphraseFlags } from "./passphrase.ts";
import { sessionProgress } from "./progress.ts";
import { type SessionAttestation, sessionAttestation } from "./session_attestation.ts";
import { freshSessionId, sandboxSpec, withFlags } from "./session_plan.ts";
import type { StoreFlags, StoreUse } from "./store_asked.ts";
import { targetsOf } from "./targets.ts";
import { wireChecks, wireSafety, wireStoredWorld, wireSyntax } from "./wire.ts";

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
  readonly keptOut: readonly string[];
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
  const source = policy.source === null ? [] : [relative(root, resolve(root, policy.source))];
  const keptOut = source.filter((path) => path !== "" && !path.startsWith(".."));
  const terms = await termsUnder(policy, flags.trust);
  const { proposers } = terms(new Date());
  const known = proposers.owners.size === 0 || signer === null || proposers.owners.has(signer.keyId);
  if (config.policy.approval.signed_proposals && !known) {
    throw new Failure("denied", "proposer_untrusted", "the trust file does not name the key of --sign", {
      hint: "the policy takes proposals signed by a key of the trust file: pp trust add NAME PUBLIC.pem",
    });
  }
  return { flags, policy, targets, keptOut, noProof, attestation, signer, terms };
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
  const { policy, keptOut, noProof, targets, signer } = examination;
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
  const artifacts = flags.artifacts === undefined ? join(store.folder, "proofs") : resolve(flags.artifacts);
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

/** Writes the bundle of a session, signed when there is a key and something was proved. */
async function keepBundle(
  artifacts: string,
  record: SessionRecord,
  redact: Redact,
  { keys }: SessionAttestation,
): Promise<KeptBundle> {
  const files = await bundleFiles(record, redact);
  const issue = { issuedAt: new Date(record.finishedAt), nonce: null };
  const proved = record.status === "proved";
  const inventory = await inventoryOf(files, record.embedded);
  const envelopes: Envelopes = proved && keys.length > 0 ? await attest(inventory, keys, issue) : new Map();
  const all = new Map([...files, ...envelopes]);
  const place = await writeBundle(artifacts, record.session, all);
  const digests = [...all].map(([name, bytes]) => [name, sha256(bytes)] as const).sort();
  return {
    place,
    digest: sha256(canonicalJson(digests)),
    statement: proved ? statementOf(inventory, envelopes) : null,
  };
}

/** Digest of the statement that was signed; of an unsigned proof, of the test result that it would be signed with. */
function statementOf(inventory: Parameters<typeof claimsOf>[0], envelopes: Envelopes): Sha256 {
  const envelope = envelopes.get(PROOF_ENVELOPE);
  if (envelope !== undefined) {
    const parsed = parseEnvelope(envelope);
    if (parsed.ok) return sha256(parsed.envelope.payload);
  }
  const drawn = claimsOf(inventory);
  if (!drawn.ok) throw new Failure("bug", "proof_without_claims", drawn.refusal.detail);
  return sha256(testResultStatement(drawn.claims, drawn.patch, inventory.files));
}
