import type { Inventory } from "../../bundle/inventory.ts";
import type { BundleRead } from "../../bundle/read.ts";
import type { PolicyConfig } from "../../policy/policy.ts";
import type { SessionPorts } from "../../prove/ports.ts";
import type { GitTree, History } from "../../workspace/history.ts";
import type { ReplayResult } from "../replay.ts";
import type { ReplayClaim } from "../replay/claim.ts";
import type { FreshnessAsked } from "../verdicts/freshness.ts";
import type { Trust } from "../verdicts/signature.ts";
import type { GatePolicy } from "./policy_checks.ts";
import type { SummaryGiven } from "./replay_check.ts";

/** A file the verifier judges by that lies in the working tree, where a change could have touched it. */
export interface VerifierFile {
  /** Such as `trust file`. */
  readonly what: string;
  /** Its path in the working tree; several where links lead to it. */
  readonly paths: readonly string[];
}

/** Everything but the bundle is the verifier's own. */
export interface GateInput extends FreshnessAsked {
  readonly inventory: Inventory;
  /** The same files, read whole. */
  readonly read: BundleRead;
  readonly trust: Trust;
  /** Names of commits. */
  readonly base: string;
  readonly head: string;
  /** Null: that of the merge base. */
  readonly policy: GatePolicy | null;
  /** What the verifier's flags make of a policy. */
  readonly adjust: (config: PolicyConfig) => PolicyConfig;
  readonly verifierFiles: readonly VerifierFile[];
  readonly replay: SummaryGiven | { readonly kind: "here" } | null;
}

export interface GatePorts extends Pick<SessionPorts, "findSecrets"> {
  readonly history: History;
  /** Replays a claim on a checkout of a tree, under a policy of the verifier's. */
  readonly replayHere: (tree: GitTree, claim: ReplayClaim, config: PolicyConfig) => Promise<ReplayResult>;
}
