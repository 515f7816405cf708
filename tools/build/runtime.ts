import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { joinedBytes } from "../../src/vocabulary/joined_bytes.ts";
import { step } from "../log.ts";
import { cacheDirectory, runs } from "../system.ts";

/** The version that builds carry; `./pp` starts the same. */
export const RUNTIME_VERSION = "2.9.6";

/** Where a built program runs. */
export interface Target {
  /** As in names of files. */
  readonly name: string;
  /** As Deno calls it. */
  readonly triple: string;
  /** What `uname -s` and `uname -m` say there. */
  readonly uname: string;
}

export const TARGETS: readonly Target[] = [
  { name: "linux-x64", triple: "x86_64-unknown-linux-gnu", uname: "Linux x86_64" },
  { name: "linux-arm64", triple: "aarch64-unknown-linux-gnu", uname: "Linux aarch64" },
  { name: "macos-x64", triple: "x86_64-apple-darwin", uname: "Darwin x86_64" },
  { name: "macos-arm64", triple: "aarch64-apple-darwin", uname: "Darwin arm64" },
];

interface RuntimePackage {
  readonly name: string;
  /** Of the package's tarball, as registries have it. */
  readonly integrity: string;
}

const PACKAGES: Readonly<Record<string, RuntimePackage>> = {
  "linux-x64": {
    name: "@deno/linux-x64-glibc",
    integrity:
      "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
  },
  "linux-arm64": {
    name: "@deno/linux-arm64-glibc",
    integrity:
      "sha512-poqhoH9B3nYloigEMPT5t8HY+wBeiuea1An5Q7fqgJzP0SYmWsoS/oUnWO/pEiA4ofzIBy1Elt/in58xKtxEoQ==",
  },
};

/** Targets whose runtime can be carried. */
export const PORTABLE_TARGETS = Object.keys(PACKAGES);

export interface Runtime extends RuntimePackage {
  readonly version: string;
  readonly program: Uint8Array;
}

/**
 * The runtime of a target from its pinned npm package, kept between builds as the tarball, which is checked each time.
 * @throws Error when npm cannot get it, or gets something else
 */
export async function runtimeOf(target: string): Promise<Runtime> {
  const pinned = PACKAGES[target];
  if (pinned === undefined) throw new Error(`no npm package has a runtime for ${target}`);
  const directory = `${cacheDirectory()}/build`;
  await Deno.mkdir(directory, { recursive: true });
  const kept = `${directory}/runtime-${RUNTIME_VERSION}-${target}.tgz`;
  let tarball: Uint8Array | null = await Deno.readFile(kept).catch(() => null);
  if (tarball === null || integrityOf(tarball) !== pinned.integrity) {
    tarball = await download(pinned, directory);
    const temporary = await Deno.makeTempFile({ dir: directory, prefix: "runtime-" });
    await Deno.writeFile(temporary, tarball);
    await Deno.rename(temporary, kept);
  }
  return { ...pinned, version: RUNTIME_VERSION, program: await unpacked(tarball) };
}

function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
}

async function download({ name, integrity }: RuntimePackage, directory: string): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ dir: directory, prefix: "npm-" });
  try {
    const pack = ["npm", "pack", "--silent", "--prefer-offline", "--pack-destination", folder];
    if (!await runs([...pack, `${name}@${RUNTIME_VERSION}`])) {
      throw new Error(`npm did not get ${name}@${RUNTIME_VERSION}; see what it says above`);
    }
    const [tarball] = [...Deno.readDirSync(folder)];
    const bytes = await Deno.readFile(`${folder}/${tarball!.name}`);
    if (integrityOf(bytes) !== integrity) {
      throw new Error(`${name}@${RUNTIME_VERSION} is not what is pinned: ${integrityOf(bytes)}`);
    }
    return bytes;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function unpacked(tarball: Uint8Array): Promise<Uint8Array> {
  step(`unpacking the runtime, ${(tarball.length / 1e6).toFixed(0)} MB`);
  const { extract } = await import("tar-stream");
  const tar = extract();
  tar.end(gunzipSync(tarball));
  let program: Uint8Array | null = null;
  for await (const entry of tar) {
    const parts: Uint8Array[] = [];
    for await (const part of entry) parts.push(part as Uint8Array);
    if (entry.header.name === "package/deno") program = joinedBytes(parts);
  }
  if (program === null) throw new Error("the runtime's package has no deno in it");
  return program;
}
