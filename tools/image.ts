import { SetUpNeeded, step } from "./log.ts";
import type { Engine } from "./engine.ts";
import { cacheDirectory, ensurePrograms, runs } from "./system.ts";

/** Holds what the examples and the engine tests run: Python and pytest, git, Node, Deno, a shell. */
export const EXAMPLES_IMAGE = "veripatch-examples:1";
const PACKAGES = ["python3", "python3-pytest", "git", "nodejs"];

/** Makes sure the examples image is in the engine, building it from Debian's packages when it is not. */
export async function ensureExamplesImage(engine: Engine): Promise<void> {
  const { default: Docker } = await import("dockerode");
  const docker = new Docker(connection(engine.host));
  const there = await docker.getImage(EXAMPLES_IMAGE).inspect().then(() => true, () => false);
  if (there) return;
  const directory = `${cacheDirectory()}/images`;
  await Deno.mkdir(directory, { recursive: true });
  const tar = `${directory}/${EXAMPLES_IMAGE.replace(":", "-")}.tar`;
  if (await Deno.stat(tar).catch(() => null) === null) await buildRootFilesystem(directory, tar);
  step(`docker import ${tar} ${EXAMPLES_IMAGE}`);
  const { createReadStream } = await import("node:fs");
  const [repo, tag] = EXAMPLES_IMAGE.split(":");
  const answer = await docker.importImage(createReadStream(tar), {
    repo,
    tag,
    changes: "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => error ? reject(error) : resolve());
  });
}

async function buildRootFilesystem(directory: string, tar: string): Promise<void> {
  await ensurePrograms({ mmdebstrap: "mmdebstrap", tar: "tar" });
  const suite = await debianSuite();
  const unfinished = await Deno.makeTempDir({ dir: directory, prefix: "build-" });
  try {
    const rootfs = `${unfinished}/rootfs.tar`;
    const include = `--include=${PACKAGES.join(",")}`;
    if (!await runs(["mmdebstrap", "--quiet", "--variant=apt", include, suite, rootfs])) {
      throw new SetUpNeeded("mmdebstrap could not build the image's root filesystem.", [
        `mmdebstrap --variant=apt ${include} ${suite} rootfs.tar`,
        `docker import rootfs.tar ${EXAMPLES_IMAGE}`,
      ]);
    }
    await Deno.mkdir(`${unfinished}/usr/local/bin`, { recursive: true });
    await Deno.copyFile(Deno.execPath(), `${unfinished}/usr/local/bin/deno`);
    await Deno.chmod(`${unfinished}/usr/local/bin/deno`, 0o755);
    const append = ["tar", "--append", "--owner=0", "--group=0", "-f", rootfs, "-C", unfinished];
    if (!await runs([...append, "usr/local/bin/deno"])) {
      throw new Error("tar could not add deno to the image");
    }
    await Deno.rename(rootfs, tar);
  } finally {
    await Deno.remove(unfinished, { recursive: true });
  }
}

async function debianSuite(): Promise<string> {
  const release = await Deno.readTextFile("/etc/os-release").catch(() => "");
  const id = /^ID=(.*)$/m.exec(release)?.[1];
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(release)?.[1];
  return id === "debian" && codename !== undefined ? codename : "bookworm";
}

function connection(host: string): { socketPath: string } | Record<string, never> {
  return host.startsWith("unix://") ? { socketPath: host.slice("unix://".length) } : {};
}
