/** Stores a folder as the next version, then prints how long that took and its own peak memory as JSON. */
import { createVersion } from "../src/store/artifact/create.ts";
import { openFolderStore } from "../src/store/folder/open.ts";
import { snapshotWorkspace } from "../src/store/folder/snapshot.ts";

const [directory, place] = Deno.args as [string, string];
const startedAt = performance.now();
const now = new Date();
const store = openFolderStore({ named: place, env: {}, create: true, actor: "bench", now });
const by = { storeId: store.records.storeId, actor: "bench", now };
const { captured, version } = await createVersion(
  store,
  by,
  "bench",
  "",
  (unknownTrees) =>
    snapshotWorkspace(directory, {
      blobs: store.blobs,
      store: store.folder,
      leftOut: new Set(),
      unknownTrees,
    }),
  {},
);
captured.remember();
store.close();
const milliseconds = performance.now() - startedAt;
const status = await Deno.readTextFile("/proc/self/status");
const peakBytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
console.log(JSON.stringify({ milliseconds, peakBytes, version: version.number, read: captured.read }));
