/** Streams a folder into a container as a session does, then prints its time and its own peak memory as JSON. */
import { connectEngine } from "../src/sandbox/docker/connect.ts";
import { putTar } from "../src/sandbox/docker/files.ts";
import { directoryWorkspace } from "../src/workspace/directory.ts";

const [directory, container] = Deno.args as [string, string];
const engine = await connectEngine(Deno.env.toObject(), "docker");
const workspace = await directoryWorkspace(directory);
const startedAt = performance.now();
await putTar(engine, container, workspace.tar({ uid: 65534, gid: 65534, prefix: "workspace/" }));
await workspace.manifest();
const milliseconds = performance.now() - startedAt;
const status = await Deno.readTextFile("/proc/self/status");
const peakBytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
console.log(JSON.stringify({ milliseconds, peakBytes }));
