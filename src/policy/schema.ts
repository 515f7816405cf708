import { z } from "zod";
import type { KnownKeys } from "../document/problems.ts";
import { count, decimal, duration, flag, line, listOf, MAX_LIST, optional, section, size } from "./fields.ts";
import { controlFiles } from "./control_files.ts";
import { MAX_GLOB_LENGTH, parseGlob } from "./glob.ts";
import { IMAGE_NAME, MAX_IMAGE_LENGTH } from "./image.ts";
import { SAFETY_TERMS } from "./policy.ts";
import { showSize } from "./sizes.ts";
import { argv, commandLine, reportShape, targets, targetShape } from "./target_schema.ts";

const MIB = 2 ** 20;
const TIB = 2 ** 40;
const MINUTE = 60;
const DAY = 86_400;
const WEEK = 7 * DAY;
const YEAR = 365 * DAY;

const glob = z.string({ error: "expected a glob as text; put quotes around it" })
  .superRefine((source, context) => {
    const parsed = parseGlob(source);
    if (!parsed.ok) context.addIssue({ code: "custom", message: `glob ${parsed.detail}` });
  })
  .meta({ minLength: 1, maxLength: MAX_GLOB_LENGTH });

const limitsShape = {
  max_attempts: count(1, 100).default(3).meta({ description: "Proposals tried." }),
  max_files_changed: count(1, 10_000).default(8).meta({ description: "Files one patch may touch." }),
  max_patch_bytes: count(1, 64 * MIB).default(200_000).meta({ description: "Bytes of a patch." }),
  per_command_timeout_sec: count(1, DAY).default(600).meta({
    description: "Seconds for one run of a target.",
  }),
  session_sec: count(1, WEEK).default(3_600).meta({ description: "Seconds for the whole session." }),
  output_bytes: size(1_024, 64 * MIB).default(MIB).meta({
    description: "Kept of each output stream of a command, head and tail; the rest is counted.",
  }),
  pids: optional(count(4, 4_194_304), "Processes and threads at once."),
  file_bytes: optional(size(4_096, 16 * TIB), "Largest file written."),
  disk_bytes: optional(size(MIB, 16 * TIB), "Disk written in all."),
  minimize_runs: count(1, 100_000).default(400).meta({ description: "Verifications spent on minimizing." }),
  minimize_sec: count(1, WEEK).default(1_800).meta({ description: "Seconds spent on minimizing." }),
};

const negativeControlShape = {
  files: controlFiles,
  targets: listOf(line(100), "names of targets"),
};

const verifyShape = {
  repeat: count(1, 100).default(1).meta({
    description: "Fresh copies in which the final patch has to pass.",
  }),
  negative_control: optional(
    z.strictObject(negativeControlShape, { error: "expected a section with files" }),
    "A failing test laid beside the final patch: with it, the targets have to fail.",
  ),
};

const protectShape = {
  enabled: flag().default(true).meta({
    description: "Leave tests, their runners' configuration and hooks out of every patch.",
  }),
  also: listOf(glob, "globs").meta({ description: "Further files that are protected." }),
  allow: listOf(glob, "globs").meta({
    description: "Protected files that a patch may touch; it is flagged.",
  }),
};

/** Capabilities as src/safety/capability.ts has them, and what else a change may be judged by. */
const safetyTerm = z.enum(SAFETY_TERMS);

const safetyShape = {
  deny: listOf(safetyTerm, "capabilities").meta({
    description: "What a change may never newly do.",
  }),
  require_approval: listOf(safetyTerm, "capabilities").meta({
    description: "What a change may newly do only when a person approves it.",
  }),
  max_diff_lines: count(1, 1_000_000).default(10_000).meta({
    description: "Lines a change may add and remove.",
  }),
};

const ruleShape = {
  name: line(100).meta({ description: "For people; the hash of the whole rule stands in the log." }),
  paths: z.array(glob, { error: "expected a list of globs" }).min(1, { error: "must have at least one glob" })
    .max(MAX_LIST).meta({ description: "Every file of the change matches one of them." }),
  max_lines: count(1, 10_000).default(20).meta({ description: "Lines added and removed together." }),
  max_files: count(1, 1_000).default(1).meta({ description: "Files touched." }),
};

const automatic = z.array(
  z.strictObject(ruleShape, { error: "expected a rule, such as {name: docs, paths: [docs/**]}" }),
  { error: "expected a list of rules" },
).max(100, { error: "must have at most 100 rules" })
  .superRefine((rules, context) => {
    const names = rules.map((rule) => (rule as { readonly name?: unknown } | null)?.name);
    names.forEach((name, i) => {
      if (typeof name !== "string" || names.indexOf(name) === i) return;
      context.addIssue({ code: "custom", path: [i, "name"], message: "there is a rule of that name" });
    });
  }, { when: ({ value }) => Array.isArray(value) })
  .nullish().meta({
    default: [],
    description: "Changes that need no person: with a passed proof, and nothing that the code newly can do.",
  }).transform((rules) => rules ?? []);

const approvalShape = {
  required: z.enum(["always", "findings", "never"]).default("always").meta({
    description:
      "Which proposals are applied only when approved; findings: those with a check that is not clean.",
  }),
  threshold: count(1, 64).default(1).meta({
    description: "Principals who have to approve; at least what the trust file asks of approvers.",
  }),
  expires: duration(MINUTE, YEAR).default(7 * DAY).meta({
    description: "How long a proposal waits, and an approval counts.",
  }),
  keep_on_clean_rebase: flag().default(false).meta({
    description: "A rebase without conflicts whose findings do not grow keeps its approvals.",
  }),
  signed_proposals: flag().default(false).meta({
    description: "Proposals are signed with a key of the trust file.",
  }),
  bypass: flag().default(false).meta({
    description: "Whether an approver may, for a reason, bypass the approvals a change needs.",
  }),
  review_within: duration(MINUTE, YEAR).default(3 * DAY).meta({
    description: "How soon a bypass has to be looked at.",
  }),
  automatic,
};

const secretsShape = {
  allow_in_patch: flag().default(false).meta({ description: "Take patches in which a secret is found." }),
};

const sandboxShape = {
  backend: z.enum(["auto", "container", "copy", "git_worktree"]).default("auto").meta({
    description: "auto takes container when an engine answers and the image is there.",
  }),
  container_runtime: z.enum(["docker", "podman"]).default("docker"),
  container_image: line(MAX_IMAGE_LENGTH).regex(IMAGE_NAME, {
    error: "expected an image, such as python:3.11-slim",
  }).default("python:3.11-slim"),
  container_workdir: line(512).refine(isWorkdir, {
    error: "expected an absolute path without . or .. or // or a / at the end, and not / /proc /sys or /dev",
  }).default("/workspace").meta({ pattern: "^/." }),
  cpu_limit: optional(decimal(0.01, 1_024), "CPUs."),
  memory_limit: optional(size(6 * MIB, 16 * TIB), `Memory without swap, at least ${showSize(6 * MIB)}.`),
  runtime: optional(
    line(64).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: "expected a runtime's name, such as runsc" }),
    "OCI runtime of the engine.",
  ),
  user: z.union([z.string(), z.number().int()], { error: "expected uid:gid, such as 65534:65534" })
    .transform((user, context) => {
      const ids = userAndGroup(String(user));
      if (ids !== null) return ids;
      context.addIssue({
        code: "custom",
        message: "expected uid:gid as numbers from 1 to 4294967294; root (0) is never allowed",
      });
      return z.NEVER;
    }).default("65534:65534").meta({ description: "uid:gid in the container, never 0." }),
  parallel: optional(
    count(1, 256),
    "Copies used at once while minimizing; the machine decides when left out.",
  ),
};

const attestationShape = {
  enabled: flag().default(false),
  mode: z.enum(["none", "hmac-sha256", "ed25519"]).default("none"),
  key_env: line(128).regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
    error: "expected the name of an environment variable",
  })
    .default("PP_ATTEST_HMAC_KEY").meta({ description: "Environment variable that holds the key." }),
  key_file: optional(line(4_096), "File that holds the key."),
};

const policyShape = {
  network: z.enum(["deny", "allow"]).default("deny"),
  allowed_commands: listOf(commandLine, "commands"),
  allowed_argv: z.array(argv, { error: "expected a list of lists of words, such as [[pytest, -q]]" })
    .max(MAX_LIST).nullish().meta({ default: [] }).transform((list) => list ?? []),
  write_allowlist: listOf(glob, "globs", ["**"]).transform((globs) => globs.length === 0 ? ["**"] : globs),
  deny_write: listOf(glob, "globs"),
  protect: section(protectShape),
  limits: section(limitsShape),
  minimize: flag().default(true),
  verify: section(verifyShape),
  secrets: section(secretsShape),
  safety: section(safetyShape),
  approval: section(approvalShape),
  sandbox: section(sandboxShape),
  attestation: section(attestationShape),
};

/** The whole policy file; what it gives is a PolicyConfig with every default filled in. */
export const policySchema = z.strictObject({
  proof_targets: targets,
  policy: section(policyShape),
}, { error: "expected a policy file: a mapping with proof_targets and policy" })
  .meta({ title: "veripatch policy", description: "What a proof may run, write and use." });

/** Keys of each section, for the words of a problem. */
export const KNOWN_KEYS: KnownKeys = new Map([
  ["", ["proof_targets", "policy"]],
  ["proof_targets[]", Object.keys(targetShape)],
  ["proof_targets[].report", Object.keys(reportShape)],
  ["policy", Object.keys(policyShape)],
  ["policy.limits", Object.keys(limitsShape)],
  ["policy.protect", Object.keys(protectShape)],
  ["policy.verify", Object.keys(verifyShape)],
  ["policy.verify.negative_control", Object.keys(negativeControlShape)],
  ["policy.secrets", Object.keys(secretsShape)],
  ["policy.safety", Object.keys(safetyShape)],
  ["policy.approval", Object.keys(approvalShape)],
  ["policy.approval.automatic[]", Object.keys(ruleShape)],
  ["policy.sandbox", Object.keys(sandboxShape)],
  ["policy.attestation", Object.keys(attestationShape)],
]);

/** JSON Schema (2020-12) of what a policy file may say. Rules it cannot express are checked on loading. */
export function policyJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(policySchema, { io: "input", target: "draft-2020-12" }) as Record<string, unknown>;
}

function isWorkdir(path: string): boolean {
  const [root, ...segments] = path.split("/");
  if (root !== "" || segments.length === 0) return false;
  if (segments.some((s) => s === "" || s === "." || s === "..")) return false;
  return !/^\/(proc|sys|dev)(\/|$)/.test(path);
}

function userAndGroup(text: string): string | null {
  const match = /^([1-9]\d{0,9})(?::([1-9]\d{0,9}))?$/.exec(text);
  if (match === null) return null;
  const [uid, gid] = [match[1]!, match[2] ?? match[1]!];
  return Number(uid) <= 4_294_967_294 && Number(gid) <= 4_294_967_294 ? `${uid}:${gid}` : null;
}
