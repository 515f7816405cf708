import { checkTarget, targetFromCommand } from "../policy/commands.ts";
import { defaultPolicy } from "../policy/defaults.ts";
import { loadPolicy } from "../policy/load.ts";
import type { Policy, PolicyConfig } from "../policy/policy.ts";
import { KEEP_DAYS, portableCache } from "../portable_cache.ts";
import type { Environment } from "../vocabulary/environment.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { EXIT } from "./exit_code.ts";
import { inColumns, terminalColumns } from "./help_layout.ts";
import { bytesText, colour, count } from "./output.ts";
import type { VerbResult } from "./verb.ts";
import { wireProposer } from "./wire/proposer.ts";
import {
  containerLimits,
  onlyContainersHold,
  wireCheckoutProbe,
  wireEngineProbe,
  wireHostProbe,
  wireOrphans,
} from "./wire/sandbox.ts";

export interface DoctorFlags {
  readonly policy?: string;
  readonly command?: string;
  readonly provider?: string;
  readonly json?: boolean;
}

/** One thing looked at. `needed` false: its absence limits, but does not stop `pp run`. */
interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly needed: boolean;
  readonly found: string;
  /** How to get it; empty when there is nothing to do. */
  readonly hint: string;
}

/** Looks at everything a session needs and says how to get what is missing. Changes nothing. */
export async function doctor(flags: DoctorFlags): Promise<VerbResult> {
  const env = Deno.env.toObject();
  const { check: policyCheck, config } = await checkPolicy(flags.policy);
  const { engine, imageThere } = await wireEngineProbe(config.policy, env);
  const host = await wireHostProbe();
  const { backend, container_image: image } = config.policy.sandbox;
  const containerUsable = engine.reachable && imageThere;
  const containerOnly = backend === "container" ||
    (backend === "auto" && (onlyContainersHold(config.policy) || (env.DOCKER_HOST ?? "") !== ""));
  const wantsContainer = containerOnly || (backend === "auto" && !host.works);
  const namesHost = backend === "copy" || backend === "git_worktree";
  const wantsHost = namesHost || (backend === "auto" && !containerOnly && !containerUsable);
  const checks: Check[] = [
    policyCheck,
    {
      name: "engine",
      ok: engine.reachable,
      needed: wantsContainer,
      found: engine.reachable
        ? `${engine.version} (API ${engine.apiVersion}, ${engine.os}/${engine.arch}) at ${engine.host}`
        : engine.error ?? "no engine answers",
      hint: engine.reachable ? "" : (engine.hint ??
        "start Docker or Podman, or set DOCKER_HOST; on Debian: apt-get install docker.io") +
        (containerUsable || (env.DOCKER_HOST ?? "") !== "" ? "" : withoutLimits(config.policy, host.works)),
    },
    ...(namesHost ? [] : [{
      name: "image",
      ok: imageThere,
      needed: wantsContainer,
      found: imageThere
        ? image
        : engine.reachable
        ? `${image} is not in the engine`
        : `${image}: no engine to ask`,
      hint: imageThere
        ? ""
        : `docker pull ${image}, or docker load / docker import it, or let pp pull it with --pull`,
    }]),
    {
      name: "bubblewrap",
      ok: host.works,
      needed: wantsHost,
      found: host.works ? host.version ?? "works" : host.error ?? "not found",
      hint: host.works ? "" : "apt-get install bubblewrap; only the backends copy and git_worktree need it",
    },
    ...await checkSandbox(config.policy, !namesHost && containerUsable, wantsHost && host.works),
    await checkGit(),
    ...(flags.command === undefined ? [] : [checkCommand(flags.command, config)]),
    await checkProvider(flags.provider, env),
    await checkOrphans(config, engine.reachable, env),
    ...await checkCache(),
  ];
  const missing = checks.filter((c) => c.needed && !c.ok);
  const exit = missing.length === 0
    ? EXIT.yes
    : missing[0] === policyCheck
    ? EXIT.malformed
    : EXIT.unavailable;
  return {
    exit,
    text: report(checks, missing.length === 0),
    json: { format: "veripatch-doctor/v1", ok: missing.length === 0, checks },
  };
}

async function checkPolicy(path: string | undefined): Promise<{ check: Check; config: PolicyConfig }> {
  try {
    const { config, source } = await loadPolicy(Deno.cwd(), path);
    const found = source === null
      ? "built-in: exactly the given command, writes anywhere, no network"
      : `${source}, ${count(config.proof_targets.length, "proof target")}`;
    const hint = source === null ? 'write one with "pp init"' : "";
    return { check: { name: "policy", ok: true, needed: true, found, hint }, config };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const found = [error.message, ...error.details].join("\n");
    const check = { name: "policy", ok: false, needed: true, found, hint: error.hint ?? "" };
    return { check, config: defaultPolicy() };
  }
}

/** What commands would run in; nothing where another line says what is missing for it. */
async function checkSandbox(policy: Policy, container: boolean, host: boolean): Promise<Check[]> {
  const { backend, container_image: image } = policy.sandbox;
  const line = (
    ok: boolean,
    found: string,
    hint = "",
  ) => [{ name: "sandbox", ok, needed: true, found, hint }];
  if (container) return line(true, `a container of ${image}`);
  if (!host) return [];
  const limits = containerLimits(policy);
  if (limits.length > 0) {
    const found = `the backend ${backend} cannot enforce ${limits.join(", ")}`;
    return line(false, found, "use sandbox.backend container, or take these limits out of the policy");
  }
  const refused = backend === "git_worktree" ? await wireCheckoutProbe(Deno.cwd()) : null;
  if (refused !== null) return line(false, [refused.message, ...refused.details].join("\n"), refused.hint);
  const network = policy.network === "allow" ? "with the host's network" : "without network";
  const instead = backend === "auto" ? "a container is taken when an engine answers and has the image" : "";
  return line(true, `bubblewrap on this host, in a copy ${network}`, instead);
}

async function checkGit(): Promise<Check> {
  // Spawning what is not there throws at once, not in the promise.
  const output = async () =>
    await new Deno.Command("git", { args: ["--version"], stdin: "null", stderr: "null" }).output();
  const version = await output()
    .then((o) => new TextDecoder().decode(o.stdout).trim(), () => null);
  return {
    name: "git",
    ok: version !== null,
    needed: false,
    found: version ?? "not found",
    hint: version === null
      ? "apt-get install git: bundles then record commit and branch, and git checks each patch"
      : "",
  };
}

function checkCommand(command: string, config: PolicyConfig): Check {
  const resolved = targetFromCommand("command", command);
  const refusal = resolved.ok ? checkTarget(config, resolved.target) : resolved.refusal;
  return {
    name: "command",
    ok: refusal === null,
    needed: true,
    found: refusal === null ? `${command}: admitted` : refusal.detail,
    hint: refusal === null
      ? ""
      : "add exactly this command to policy.allowed_commands or policy.allowed_argv",
  };
}

/** Who names a provider wants to know whether it can be used; else patches can be given instead. */
async function checkProvider(flag: string | undefined, env: Environment): Promise<Check> {
  const needed = flag !== undefined;
  try {
    const proposer = await wireProposer(flag, [], env);
    const hint = proposer.name === "stub" ? "set PP_PROVIDER, or give patches with --patch" : "";
    return { name: "provider", ok: true, needed, found: proposer.name, hint };
  } catch (error) {
    // Who asks for a provider that does not exist has called wrongly; one that lacks its settings is a finding.
    if (!(error instanceof Failure) || error.kind === "usage") throw error;
    return { name: "provider", ok: false, needed, found: error.message, hint: error.hint ?? "" };
  }
}

async function checkOrphans(
  config: PolicyConfig,
  engineReachable: boolean,
  env: Environment,
): Promise<Check> {
  const orphans = await wireOrphans(config.policy, engineReachable, env);
  return {
    name: "leftovers",
    ok: orphans.length === 0,
    needed: false,
    found: orphans.length === 0
      ? "none"
      : orphans.map(({ kind, id, session }) => `${kind} ${shortId(id)} of ${session}`).join("\n"),
    hint: orphans.length === 0
      ? ""
      : orphans.every(({ kind }) => kind === "directory")
      ? "left by killed sessions; the next pp run removes them"
      : "left by killed sessions; the next pp run in a container removes them",
  };
}

/** An engine's id as its own client shows it; a path as it is. */
function shortId(id: string): string {
  return /^(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}$/.exec(id)?.[1] ?? id;
}

/** What the portable file keeps unpacked; nothing is said where this is none. */
async function checkCache(): Promise<readonly Check[]> {
  const cache = await portableCache();
  if (cache === null) return [];
  const { folder, versions, bytes } = cache;
  const found = `${count(versions, "version")}, ${bytesText(bytes)} in ${folder}`;
  const hint = versions === 1 ? "" : `versions that were not started for ${KEEP_DAYS} days are removed`;
  return [{ name: "cache", ok: true, needed: false, found, hint }];
}

function report(checks: readonly Check[], usable: boolean): string {
  const c = colour(Deno.stdout);
  const columns = terminalColumns();
  const below = " ".repeat(21);
  const lines = checks.flatMap(({ name, ok, needed, found, hint }) => {
    const mark = ok ? c.green("ok     ") : needed ? c.red("missing") : c.yellow("note   ");
    const [first = "", ...more] = found.split("\n").map(printableLine);
    return [
      inColumns(`${mark}  ${name.padEnd(10)}  `, first, columns),
      ...more.map((line) => inColumns(below, line, columns)),
      ...(hint === "" ? [] : [c.dim(inColumns(below, hint, columns))]),
    ];
  });
  lines.push(usable ? c.green("pp run can work here") : c.red("pp run cannot work here yet"));
  return lines.join("\n");
}

/** Which limits keep a policy's `auto` from the sandbox that would work here, as a hint; empty where none do. */
export function withoutLimits(policy: Policy, hostWorks: boolean): string {
  const limits = containerLimits(policy);
  return policy.sandbox.backend === "auto" && hostWorks && limits.length > 0
    ? `; without ${limits.join(", ")}, which only a container can hold, the policy could be run in bubblewrap`
    : "";
}
