/** Streams a folder into a container as a session does, then prints its time and its own peak memory as JSON. */
import Docker from "dockerode";
import { Readable } from "node:stream";
import { directoryWorkspace } from "../src/workspace/directory.ts";

const [directory, container] = Deno.args as [string, string];
const docker = new Docker({ socketPath: Deno.env.get("DOCKER_HOST")!.slice("unix://".length) });
const workspace = await directoryWorkspace(directory);
const startedAt = performance.now();
const tar = Readable.from(workspace.tar({ uid: 65534, gid: 65534, prefix: "" }));
await docker.getContainer(container).putArchive(tar, { path: "/tmp" });
await workspace.manifest();
const milliseconds = performance.now() - startedAt;
const status = await Deno.readTextFile("/proc/self/status");
const peakBytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
console.log(JSON.stringify({ milliseconds, peakBytes }));
