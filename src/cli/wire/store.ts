import { isAbsolute, relative } from "node:path";
import type { Source } from "../../store/artifact/upkeep.ts";
import type { SnapshotOptions } from "../../store/folder/snapshot.ts";
import type { Environment } from "../../vocabulary/environment.ts";
import type { TargetFolder } from "../../workspace/target.ts";
import type { Workspace } from "../../workspace/workspace.ts";

/** What a call says about putting a workspace into a store. */
export type CaptureAsked = Pick<SnapshotOptions, "unknownTrees" | "signal" | "progress" | "look">;

/** The store a call works on, and how a workspace gets into it. */
export async function wireStore(
  named: string | undefined,
  env: Environment,
  options: { readonly create: boolean; readonly actor: string; readonly now: Date },
) {
  const { openFolderStore } = await import("../../store/folder/open.ts");
  const store = openFolderStore({ named, env, ...options });
  return {
    store,
    /** @param root of the workspace, absolute, without links */
    capture: async (root: string, asked: CaptureAsked) => {
      const { snapshotWorkspace } = await import("../../store/folder/snapshot.ts");
      const inside = relative(root, store.folder);
      const leftOut = new Set(inside.startsWith("..") || isAbsolute(inside) ? [] : [inside]);
      return await snapshotWorkspace(root, { ...asked, blobs: store.blobs, store: store.folder, leftOut });
    },
    /** Bytes of files of a workspace, by their digests. */
    source: async (root: string): Promise<Source> => {
      const { workspaceSource } = await import("../../store/folder/source.ts");
      return await workspaceSource(root);
    },
  };
}

/** A folder that changes are put into. */
export async function wireTarget(path: string): Promise<TargetFolder> {
  return await (await import("../../workspace/target_folder.ts")).targetFolder(path);
}

/**
 * A folder that is only read.
 * @param strangers files that are no part of it unless git tracks them
 */
export async function wireWorkspace(root: string, strangers: readonly string[] = []): Promise<Workspace> {
  const { directoryWorkspace } = await import("../../workspace/directory.ts");
  return await directoryWorkspace(root, { artifactsDir: ".pp-artifacts", strangers });
}
