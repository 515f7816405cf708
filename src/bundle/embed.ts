import { open, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure, interrupted } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import type { Redaction } from "../vocabulary/redaction.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { checkEmbedded, type Onlooker } from "./embedded.ts";
import { BOUNDS, WORKSPACE_TAR } from "./layout.ts";
import type { EmbeddedWorkspace } from "./record.ts";
import { writeAll } from "./synced.ts";
import { claimTemporary } from "./temporary.ts";

/** A workspace.tar that waits beside the bundle to be moved into it. */
export interface SpooledWorkspace extends EmbeddedWorkspace {
  readonly path: string;
  /** Of regular files and links. */
  readonly files: number;
  /** Removes what is left of it. Idempotent. */
  dispose(): Promise<void>;
}

interface EmbedOptions {
  readonly findSecrets: (text: string, name: string) => Promise<readonly Redaction[]>;
  /** Whether files that look like secrets go in all the same. */
  readonly secrets: boolean;
  readonly signal: AbortSignal;
  /** Bytes of a workspace.tar. */
  readonly most?: number;
}

/** Text that is scanned at once, and how much of it is scanned again with what follows: longer than any pattern. */
const SCANNED = 1 << 20;
const OVERLAP = 1 << 14;
const MAX_LISTED = 20;

/**
 * Streams the workspace to `<artifacts>/<session>/` as the tar a bundle embeds, reads it back as a verifier would, and
 * looks for secrets on the way, since what is embedded cannot be redacted.
 * @throws Failure `malformed` `workspace_too_large_to_embed`; `denied` `secrets_in_workspace` naming the files;
 *   `interrupted`; what the workspace throws. Nothing is left behind then
 */
export async function spoolWorkspace(
  artifactsDir: string,
  session: string,
  workspace: Pick<Workspace, "tar" | "manifest">,
  { findSecrets, secrets, signal, most = BOUNDS.workspaceBytes }: EmbedOptions,
): Promise<SpooledWorkspace> {
  const home = join(artifactsDir, session);
  const claimed = await claimTemporary(home);
  const dispose = async () => {
    await rm(claimed.path, { recursive: true, force: true });
    await rmdir(home).catch(() => {});
    claimed.lock.close();
  };
  try {
    const path = join(claimed.path, WORKSPACE_TAR);
    await writeTar(path, workspace, most, signal);
    const { entries } = await workspace.manifest();
    const scan = secrets ? null : new SecretScan(findSecrets);
    const embedded = await checkEmbedded(path, entries, scan, signal);
    if (scan !== null && scan.found.size > 0) throw secretsInWorkspace(scan.found);
    let files = 0;
    for (const { mode } of entries) if (mode !== "040000") files++;
    let disposed: Promise<void> | undefined;
    return { ...embedded, path, files, dispose: () => disposed ??= dispose() };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function writeTar(
  path: string,
  workspace: Pick<Workspace, "tar">,
  most: number,
  signal: AbortSignal,
): Promise<void> {
  const handle = await open(path, "wx", 0o644);
  try {
    let size = 0;
    for await (const chunk of workspace.tar({ uid: 0, gid: 0, prefix: "" })) {
      if (signal.aborted) throw interrupted(signal.reason);
      size += chunk.length;
      if (size > most) {
        const message = `the workspace is more than the ${most} bytes a bundle can embed`;
        throw new Failure("malformed", "workspace_too_large_to_embed", message, {
          hint: "leave what the command does not need out with .ppignore, or leave out --embed-workspace",
        });
      }
      await writeAll(handle, chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Which rules found something in which file. Text is scanned in pieces that overlap; memory does not grow. */
class SecretScan implements Onlooker {
  readonly found = new Map<string, Set<string>>();
  #text = "";
  #decoder = new TextDecoder();

  constructor(readonly findSecrets: EmbedOptions["findSecrets"]) {}

  async piece(path: string, bytes: Uint8Array): Promise<void> {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    if (this.#text.length < SCANNED) return;
    await this.#scan(path);
    this.#text = this.#text.slice(-OVERLAP);
  }

  async end(path: string, target: string | null): Promise<void> {
    this.#text += this.#decoder.decode() + (target ?? "");
    if (this.#text !== "") await this.#scan(path);
    this.#text = "";
  }

  async #scan(path: string): Promise<void> {
    for (const { rule } of await this.findSecrets(this.#text, path)) {
      this.found.set(path, (this.found.get(path) ?? new Set()).add(rule));
    }
  }
}

function secretsInWorkspace(found: ReadonlyMap<string, ReadonlySet<string>>): Failure {
  const lines = [...found].map(([path, rules]) => `${printablePath(path)}: ${[...rules].join(", ")}`);
  const more = lines.length - MAX_LISTED;
  const what = lines.length === 1 ? "a file" : `${lines.length} files`;
  return new Failure("denied", "secrets_in_workspace", `${what} of the workspace would embed a secret`, {
    details: [...lines.slice(0, MAX_LISTED), ...(more > 0 ? [`and ${more} more`] : [])],
    hint:
      "leave them out with .ppignore; if they are no secrets, or meant to be handed on, add --embed-secrets",
  });
}
