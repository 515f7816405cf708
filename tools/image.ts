import { SetUpNeeded, step } from "./log.ts";
import type { Engine } from "./engine.ts";
import { cacheDirectory, ensurePrograms, runs } from "./system.ts";

interface Image {
  /** With its tag. */
  readonly name: string;
  readonly variant: "apt" | "essential";
  readonly packages: readonly string[];
  /** Whether the Deno that runs this goes in. */
  readonly deno: boolean;
}

/** Holds what the examples and the engine tests run: Python and pytest, git, Node, Deno, a shell. */
export const EXAMPLES_IMAGE = "veripatch-examples:1";
const EXAMPLES: Image = {
  name: EXAMPLES_IMAGE,
  variant: "apt",
  packages: ["python3", "python3-pytest", "git", "nodejs"],
  deno: true,
};

/** What every Debian has and nothing more: no Deno, no node, no git. */
export const BARE_IMAGE = "veripatch-bare:1";
const BARE: Image = { name: BARE_IMAGE, variant: "essential", packages: [], deno: false };

/** Makes sure the examples image is in the engine, building it from Debian's packages when it is not. */
export async function ensureExamplesImage(engine: Pick<Engine, "host">): Promise<void> {
  await ensureImage(engine, EXAMPLES);
}

/** Makes sure the bare image is in the engine, as `ensureExamplesImage` does. */
export async function ensureBareImage(engine: Pick<Engine, "host">): Promise<void> {
  await ensureImage(engine, BARE);
}

async function ensureImage(engine: Pick<Engine, "host">, image: Image): Promise<void> {
  const { default: Docker } = await import("dockerode");
  const docker = new Docker(connection(engine.host));
  const there = await docker.getImage(image.name).inspect().then(() => true, () => false);
  if (there) return;
  const directory = `${cacheDirectory()}/images`;
  await Deno.mkdir(directory, { recursive: true });
  const tar = `${directory}/${image.name.replace(":", "-")}.tar`;
  if (await Deno.stat(tar).catch(() => null) === null) await buildRootFilesystem(directory, tar, image);
  step(`docker import ${tar} ${image.name}`);
  const { createReadStream } = await import("node:fs");
  const [repo, tag] = image.name.split(":");
  const answer = await docker.importImage(createReadStream(tar), {
    repo,
    tag,
    changes: "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => error ? reject(error) : resolve());
  });
}

async function buildRootFilesystem(directory: string, tar: string, image: Image): Promise<void> {
  await ensurePrograms({ mmdebstrap: "mmdebstrap", tar: "tar" });
  const suite = await debianSuite();
  const unfinished = await Deno.makeTempDir({ dir: directory, prefix: "build-" });
  try {
    const rootfs = `${unfinished}/rootfs.tar`;
    const include = image.packages.length === 0 ? [] : [`--include=${image.packages.join(",")}`];
    const bootstrap = ["mmdebstrap", "--quiet", `--variant=${image.variant}`, ...include, suite];
    if (!await runs([...bootstrap, rootfs])) {
      throw new SetUpNeeded("mmdebstrap could not build the image's root filesystem.", [
        [...bootstrap, "rootfs.tar"].join(" "),
        `docker import rootfs.tar ${image.name}`,
      ]);
    }
    if (image.deno) await addDeno(unfinished, rootfs);
    await Deno.rename(rootfs, tar);
  } finally {
    await Deno.remove(unfinished, { recursive: true });
  }
}

async function addDeno(unfinished: string, rootfs: string): Promise<void> {
  await Deno.mkdir(`${unfinished}/usr/local/bin`, { recursive: true });
  await Deno.copyFile(Deno.execPath(), `${unfinished}/usr/local/bin/deno`);
  await Deno.chmod(`${unfinished}/usr/local/bin/deno`, 0o755);
  const append = ["tar", "--append", "--owner=0", "--group=0", "-f", rootfs, "-C", unfinished];
  if (!await runs([...append, "usr/local/bin/deno"])) throw new Error("tar could not add deno to the image");
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
