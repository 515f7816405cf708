import { diffHunks } from "../patch/diff.ts";
import { splitLines } from "../patch/lines.ts";
import type { Hunk } from "../vocabulary/patch.ts";
import type { ReadBundle } from "./read.ts";
import type { VerifyDocument } from "./schema.ts";

/** One thing two proofs are compared by. */
export interface ComparedPart {
  /** `status`, `base`, `result`, `targets`, `policy`, `sandbox`, `image`, `network`, `patch`, `before`, `after`, `findings`. */
  readonly part: string;
  readonly same: boolean;
  /** Short, for people and programs; hostile. */
  readonly a: string;
  readonly b: string;
}

interface Comparison {
  /** Whether both prove the same thing in the same way; sessions and times may differ. */
  readonly same: boolean;
  readonly parts: readonly ComparedPart[];
  /** The final patches as texts, compared; empty when they are the same or one is missing. */
  readonly interdiff: readonly Hunk[];
}

/** Compares what two bundles say, not how they say it: times, sessions and attempts do not count. */
export function compareBundles(a: ReadBundle, b: ReadBundle): Comparison {
  const part = (
    name: string,
    of: (bundle: ReadBundle) => unknown,
    shown: (bundle: ReadBundle) => string = (bundle) => text(of(bundle)),
  ): ComparedPart => ({ part: name, same: text(of(a)) === text(of(b)), a: shown(a), b: shown(b) });
  const parts = [
    part("status", ({ repro }) => repro.status),
    part("base", ({ repro }) => repro.base_tree),
    part("result", ({ repro }) => repro.result_tree),
    part(
      "targets",
      ({ targets }) => targets.map(({ name, argv, report }) => ({ name, argv, report })),
      targetsText,
    ),
    part("policy", ({ repro }) => repro.policy_hash),
    part("sandbox", ({ repro }) => repro.sandbox_backend),
    part("image", ({ repro }) => repro.container_image_id),
    part("network", ({ repro }) => repro.network_policy),
    part("patch", ({ repro }) => repro.final_patch_sha256),
    part("before", (bundle) => outcomeOf(bundle, "attempts/0_baseline")),
    part("after", (bundle) => outcomeOf(bundle, "confirmation")),
    part("findings", ({ repro }) => repro.findings.map(({ code, path }) => ({ code, path })), findingsText),
  ];
  const both = a.finalPatch !== null && b.finalPatch !== null && a.finalPatch !== b.finalPatch;
  const interdiff = both ? diffHunks(splitLines(a.finalPatch!), splitLines(b.finalPatch!)) : [];
  return { same: parts.every(({ same }) => same), parts, interdiff };
}

function targetsText({ targets }: ReadBundle): string {
  return targets.map(({ name, argv, report }) =>
    `${name}: ${argv.map(word).join(" ")}${
      report === undefined ? "" : ` (report ${report.format}:${report.path})`
    }`
  ).join("; ");
}

function word(text: string): string {
  return /^[\w@%+:,.\/=-]+$/.test(text) ? text : JSON.stringify(text);
}

function findingsText({ repro: { findings } }: ReadBundle): string {
  return findings.map(({ code, path }) => path === null ? code : `${code} ${path}`).join("; ") || "none";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : value === null ? "none" : JSON.stringify(value);
}

function outcomeOf({ documents }: ReadBundle, directory: string): string | null {
  const verify = documents.get(`${directory}/verify.json`) as VerifyDocument | undefined;
  return verify === undefined ? null : verify.outcome;
}
