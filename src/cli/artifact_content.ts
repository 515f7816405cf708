import { Buffer } from "node:buffer";
import { resolve } from "node:path";
import { writeWhole } from "../bundle/pack.ts";
import { requireVersion } from "../store/artifact/create.ts";
import { diffVersions, type VersionChange } from "../store/artifact/diff.ts";
import { exportToFolder, versionTar } from "../store/artifact/export.ts";
import { versionName } from "../store/names.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printablePath } from "../vocabulary/printable.ts";
import { EXIT } from "./exit_code.ts";
import { amount, bytesText, type Colour, colour, colourDiff, count, grouped } from "./output.ts";
import { type StoreFlags, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";
import { versionJson } from "./version_json.ts";

/** UTF-16 units of a patch on a terminal or in JSON; -o takes any. */
const MAX_SHOWN = 16 << 20;

export interface DiffFlags extends StoreFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly stat?: boolean;
}

/** `pp artifact diff`: what differs between two versions, as a git-style patch. */
export async function artifactDiff(one: string, two: string, flags: DiffFlags): Promise<VerbResult> {
  const [first, second] = [versionName(one), versionName(two)];
  return await withStore(flags, false, async ({ store }) => {
    const [before, after] = store.records.read((rows) => [
      requireVersion(rows, first),
      requireVersion(rows, second),
    ]);
    const diff = diffVersions(store, before!, after!);
    const c = colour(Deno.stdout);
    const json = {
      format: "veripatch-artifact-diff/v1",
      before: versionJson(before!),
      after: versionJson(after!),
      same: diff.changes.length === 0,
      changes: diff.changes,
    };
    if (flags.output !== undefined) {
      await writeWhole(resolve(flags.output), byteChunks(diff.patch()), flags.force === true);
      const text = `${count(diff.changes.length, "change")} written to ${printablePath(flags.output)}`;
      return { exit: EXIT.yes, text, json: { ...json, patch: null, output: flags.output } };
    }
    if (flags.stat === true || diff.changes.length === 0) {
      const text = diff.changes.length === 0
        ? "no difference"
        : diff.changes.map((change) => changeLine(change, c)).join("\n");
      return { exit: EXIT.yes, text, json: { ...json, patch: null } };
    }
    const { patch, whole } = bounded(diff.patch());
    const decoded = Buffer.from(patch, "latin1").toString("utf8");
    const rest = whole ? "" : `\n${c.yellow("cut here: the whole patch is written by -o FILE")}`;
    return {
      exit: EXIT.yes,
      text: (decoded === ""
        ? diff.changes.map((change) =>
          changeLine(change, c)
        ).join("\n")
        : colourDiff(decoded, c)) +
        rest,
      json: { ...json, patch: whole ? decoded : null },
    };
  });
}

function bounded(pieces: Iterable<string>): { patch: string; whole: boolean } {
  const taken: string[] = [];
  let length = 0;
  for (const piece of pieces) {
    if (length + piece.length > MAX_SHOWN) return { patch: taken.join(""), whole: false };
    taken.push(piece);
    length += piece.length;
  }
  return { patch: taken.join(""), whole: true };
}

function* byteChunks(pieces: Iterable<string>): Iterable<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece, "latin1");
}

function changeLine({ path, change, type, before, after }: VersionChange, c: Colour): string {
  const paint = { added: c.green, removed: c.red, changed: c.yellow, mode: c.yellow }[change];
  const sizes = type === "directory"
    ? "directory"
    : change === "mode"
    ? "mode"
    : [before, after].filter((n) => n !== null).map((n) => bytesText(n)).join(" -> ");
  return `${paint(change.padEnd(8))} ${printablePath(path)}${type === "directory" ? "/" : ""}  ${
    c.dim(sizes)
  }`;
}

export interface ExportFlags extends StoreFlags {
  readonly tar?: string;
  readonly force?: boolean;
}

/** `pp artifact export`: a version's files in a folder or a tar. */
export async function artifactExport(
  text: string,
  directory: string | undefined,
  flags: ExportFlags,
): Promise<VerbResult> {
  const asked = versionName(text);
  if ((directory === undefined) === (flags.tar === undefined)) {
    throw new Failure("usage", "export_where", "say where to: a directory, or --tar FILE", {
      hint: `pp artifact export ${text} DIR`,
    });
  }
  return await withStore(flags, false, async ({ store, signal, counter, waiting }) => {
    const version = store.records.read((rows) => requireVersion(rows, asked));
    const options = {
      signal,
      progress: (files: number, of: number) =>
        counter.show(`writing ${grouped(files)} of ${grouped(of)} entries`),
    };
    // Nobody removes blobs meanwhile.
    await store.keeper.shared(async () => {
      if (directory !== undefined) await exportToFolder(store, version, directory, options);
      else await writeWhole(resolve(flags.tar!), versionTar(store, version, options), flags.force === true);
    }, { signal, waiting });
    const target = directory ?? flags.tar!;
    const c = colour(Deno.stdout);
    const name = `${version.artifact}@${version.number}`;
    return {
      exit: EXIT.yes,
      text: `${c.bold(name)}  ${amount(version.files, version.bytes)} written to ${printablePath(target)}`,
      json: {
        format: "veripatch-artifact-export/v1",
        version: versionJson(version),
        target,
        kind: directory === undefined ? "tar" : "directory",
      },
    };
  });
}
