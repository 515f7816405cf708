import { availableParallelism } from "node:os";
import { newSessionId } from "../bundle/session_id.ts";
import { parseGlob } from "../policy/glob.ts";
import { IMAGE_NAME, MAX_IMAGE_LENGTH } from "../policy/image.ts";
import type { PolicyConfig } from "../policy/policy.ts";
import type { SandboxSpec } from "../sandbox/sandbox.ts";
import { Failure } from "../vocabulary/failure.ts";
import { quoted } from "../vocabulary/printable.ts";

const MAX_REPEAT = 100;

/** A session id of now that nobody has had. */
export function freshSessionId(): string {
  return newSessionId(new Date(), crypto.getRandomValues(new Uint8Array(8)));
}

/** The flags that stand for policy values, put into the policy, so that the bundle records what was really used. */
export function withFlags(
  config: PolicyConfig,
  flags: {
    readonly repeat?: string;
    readonly image?: string;
    readonly allowProtected?: readonly string[];
  },
): PolicyConfig {
  const { policy } = config;
  return {
    ...config,
    policy: {
      ...policy,
      protect: {
        ...policy.protect,
        allow: [...policy.protect.allow, ...(flags.allowProtected ?? []).map(globOf)],
      },
      verify: { ...policy.verify, repeat: repeatOf(flags.repeat) ?? policy.verify.repeat },
      sandbox: { ...policy.sandbox, container_image: imageOf(flags.image) ?? policy.sandbox.container_image },
    },
  };
}

function globOf(text: string): string {
  const parsed = parseGlob(text);
  if (parsed.ok) return text;
  throw new Failure(
    "usage",
    "glob_malformed",
    `--allow-protected ${JSON.stringify(text)}: glob ${parsed.detail}`,
    {
      hint: "globs are as in a policy: relative, such as tests/** or Makefile",
    },
  );
}

/** Reads `--image`, by the rule that a policy has for it; undefined when not given. */
function imageOf(text: string | undefined): string | undefined {
  if (text === undefined || (text.length <= MAX_IMAGE_LENGTH && IMAGE_NAME.test(text))) return text;
  throw new Failure(
    "usage",
    "image_malformed",
    `--image takes the name of an image, not ${quoted(text, 100)}`,
    {
      hint: "a name, tag, digest or id, such as python:3.11-slim",
    },
  );
}

/** Reads `--repeat`; undefined when not given. */
function repeatOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const repeat = Number(text);
  if (/^\d+$/.test(text) && repeat >= 1 && repeat <= MAX_REPEAT) return repeat;
  throw new Failure(
    "usage",
    "repeat_malformed",
    `--repeat takes a whole number from 1 to ${MAX_REPEAT}, not ${text}`,
  );
}

/** The sandbox a policy describes, for one session. */
export function sandboxSpec(
  session: string,
  config: PolicyConfig,
  options: { readonly pull: boolean; readonly keep: boolean },
): SandboxSpec {
  const { network, limits, sandbox } = config.policy;
  return {
    session,
    image: sandbox.container_image,
    workdir: sandbox.container_workdir,
    user: sandbox.user,
    runtime: sandbox.runtime,
    network,
    limits: {
      cpus: sandbox.cpu_limit,
      memoryBytes: sandbox.memory_limit,
      pids: limits.pids,
      fileBytes: limits.file_bytes,
      diskBytes: limits.disk_bytes,
    },
    deadline: Date.now() + limits.session_sec * 1000,
    parallel: sandbox.parallel ?? Math.max(1, Math.min(8, availableParallelism())),
    ...options,
  };
}
