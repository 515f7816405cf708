import { removeContainer, removeImage } from "./container.ts";
import { CALL_MS, type Engine } from "./engine.ts";
import { DEADLINE_LABEL, isKeptName, OWNER_LABEL, SESSION_LABEL } from "./labels.ts";
import { ownerState } from "../owner.ts";
import type { Orphan } from "../sandbox.ts";

/** Clocks differ; what is past its deadline by less is left alone. */
const GRACE_MS = 60_000;

/**
 * What killed veripatches left in an engine: their process is gone, or it cannot be known and their deadline has
 * passed. Never anything of a session that lives, nor what was kept on purpose, nor an image somebody named.
 * @throws Failure unavailable when the engine does not answer
 */
export async function engineOrphans(engine: Engine, now = Date.now()): Promise<readonly Orphan[]> {
  const filters = { label: [SESSION_LABEL] };
  const containers = await engine.call(
    "list containers",
    CALL_MS,
    (abortSignal) => engine.docker.listContainers({ all: true, filters, abortSignal }),
  );
  const images = await engine.call(
    "list images",
    CALL_MS,
    (abortSignal) => engine.docker.listImages({ filters, abortSignal }),
  );
  const orphans: Orphan[] = [];
  const add = async (kind: Orphan["kind"], id: string, created: number, labels: Record<string, string>) => {
    if (!await isOrphaned(labels, now)) return;
    const createdAt = new Date(created * 1000).toISOString();
    orphans.push({ kind, id, session: labels[SESSION_LABEL] ?? "", createdAt });
  };
  for (const container of containers) {
    if (container.Names?.some(isKeptName)) continue;
    await add("container", container.Id, container.Created, container.Labels ?? {});
  }
  for (const image of images) {
    if (image.RepoTags?.some((tag) => tag !== "<none>:<none>")) continue;
    await add("image", image.Id, image.Created, image.Labels ?? {});
  }
  return orphans;
}

/**
 * Removes orphans, containers before the images they were made from. Tries every one.
 * @returns what was removed
 * @throws Failure unavailable when the engine does not answer
 */
export async function reapEngine(engine: Engine): Promise<readonly Orphan[]> {
  const reaped: Orphan[] = [];
  for (const orphan of await engineOrphans(engine)) {
    try {
      if (orphan.kind === "container") await removeContainer(engine, orphan.id);
      else await removeImage(engine, orphan.id);
      reaped.push(orphan);
    } catch {
      // Another veripatch may be removing the same one; the next start tries again.
    }
  }
  return reaped;
}

async function isOrphaned(labels: Record<string, string>, now: number): Promise<boolean> {
  switch (await ownerState(labels[OWNER_LABEL] ?? "")) {
    case "alive":
      return false;
    case "gone":
      return true;
    case "elsewhere": {
      const deadline = Number(labels[DEADLINE_LABEL]);
      return Number.isFinite(deadline) && deadline > 0 && now > deadline + GRACE_MS;
    }
  }
}
