import { Buffer } from "node:buffer";
import { VERSION } from "../../src/version.ts";
import type { EmbeddedFile } from "../../src/build_info.ts";
import { ROOT } from "../pp.ts";

/** An npm package that is in a build. */
export interface Material {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as the package says. */
  readonly license: string | null;
  /** Of its tarball: `sha512-` and base64. */
  readonly integrity: string | null;
  /** Its licence and notice files. */
  readonly notices: readonly string[];
}

/**
 * What is known of installed packages: their own package.json, deno.lock, their licence files.
 * @param folders of the packages
 */
export async function materialsOf(folders: readonly string[]): Promise<Material[]> {
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.lock`)) as {
    npm: Record<string, { integrity?: string }>;
  };
  /** Entries of packages with peers have those behind a `_`. */
  const locked = (id: string) =>
    Object.entries(lock.npm).find(([key]) => key === id || key.startsWith(`${id}_`))?.[1].integrity ?? null;
  const materials = await Promise.all(folders.map(async (folder): Promise<Material> => {
    const described = JSON.parse(await Deno.readTextFile(`${folder}/package.json`)) as {
      name: string;
      version: string;
      license?: string | { type?: string };
      /** As it was written before 2015. */
      licenses?: readonly { type?: string }[];
    };
    const { name, version, license = described.licenses?.[0] } = described;
    const names = (await Array.fromAsync(Deno.readDir(folder)))
      .filter((entry) => entry.isFile && /^(licen[cs]e|copying|notice)\b/i.test(entry.name))
      .map((entry) => entry.name).sort();
    return {
      name,
      version,
      license: (typeof license === "string" ? license : license?.type) ?? null,
      integrity: locked(`${name}@${version}`),
      notices: await Promise.all(names.map((file) => Deno.readTextFile(`${folder}/${file}`))),
    };
  }));
  const key = ({ name, version }: Material) => `${name}@${version}`;
  return materials.sort((a, b) => key(a) < key(b) ? -1 : 1);
}

/** The licences of all packages as one text. */
export function noticesOf(materials: readonly Material[]): string {
  const parts = materials.map(({ name, version, license, notices }) =>
    [`${name} ${version}: ${license ?? "no licence named"}`, ...notices.map((text) => text.trim())].join(
      "\n\n",
    )
  );
  return `${parts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

/**
 * A CycloneDX 1.6 list of what is inside: packages with the digests of their tarballs, files with theirs. It has no
 * time and no serial number, so that the same build gives the same bytes.
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function cycloneDx(
  what: { readonly commit: string | null; readonly target: string; readonly kind: string },
  materials: readonly Material[],
  files: readonly EmbeddedFile[],
): string {
  const packages = materials.map(({ name, version, license, integrity }) => {
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    return {
      type: "library",
      "bom-ref": purl,
      name,
      version,
      purl,
      ...(integrity === null ? {} : { hashes: [{ alg: "SHA-512", content: hexOf(integrity) }] }),
      ...(license === null ? {} : { licenses: [licenseOf(license)] }),
    };
  });
  const root = `veripatch@${VERSION}`;
  const bom = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": root,
        name: "veripatch",
        version: VERSION,
        properties: [
          { name: "veripatch:kind", value: what.kind },
          { name: "veripatch:target", value: what.target },
          ...(what.commit === null ? [] : [{ name: "veripatch:commit", value: what.commit }]),
        ],
      },
    },
    components: [
      ...packages,
      ...files.map(({ path, sha256 }) => ({
        type: "file",
        "bom-ref": `file:${path}`,
        name: path,
        hashes: [{ alg: "SHA-256", content: sha256 }],
      })),
    ],
    dependencies: [{ ref: root, dependsOn: packages.map((component) => component["bom-ref"]) }],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}

function hexOf(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
}

function licenseOf(license: string): object {
  return /^[\w.+-]+$/.test(license) ? { license: { id: license } } : { expression: license };
}
