import { resolve } from "node:path";
import { withBundleFolder } from "../bundle/open.ts";
import { packBundle } from "../bundle/pack.ts";
import { unpackBundle } from "../bundle/unpack.ts";
import { Failure } from "../vocabulary/failure.ts";
import { besideBundle } from "./beside_bundle.ts";
import { requireBundle } from "./bundle_there.ts";
import type { PackFlags } from "./bundle_verb.ts";
import { EXIT } from "./exit_code.ts";
import { bytesText, colour, count, shownPath } from "./output.ts";
import type { VerbResult } from "./verb.ts";
import { watched } from "./watched.ts";

/** `pp bundle pack`: one file of a bundle. */
export async function bundlePack(path: string, flags: PackFlags): Promise<VerbResult> {
  const root = Deno.cwd();
  const target = flags.output === undefined ? await besideBundle(path, "proof.ppb") : resolve(flags.output);
  const packed = await watched(
    flags.json === true,
    ({ signal }) =>
      withBundleFolder(
        resolve(root, path),
        (folder) => packBundle(folder, () => target, signal, flags.force === true),
        signal,
      ),
  );
  const c = colour(Deno.stdout);
  return {
    exit: EXIT.yes,
    text: [
      `${c.bold("packed")}   ${shownPath(packed.path, root)}`,
      `         ${count(packed.files, "file")} of ${packed.session}, ${bytesText(packed.size)}`,
      `${c.bold("sha256")}   ${packed.sha256}`,
    ].join("\n"),
    json: {
      format: "veripatch-packed/v1",
      path: packed.path,
      session: packed.session,
      files: packed.files,
      size: packed.size,
      sha256: packed.sha256,
    },
  };
}

/** `pp bundle unpack`: a folder of a `.ppb`. */
export async function bundleUnpack(path: string, flags: PackFlags): Promise<VerbResult> {
  const root = Deno.cwd();
  await requireBundle(resolve(root, path));
  const target = resolve(root, flags.output ?? folderOf(path));
  const { repro, files, embedded } = await watched(
    flags.json === true,
    ({ signal }) => unpackBundle(resolve(root, path), target, signal, flags.force === true),
  );
  const number = files.size + (embedded === null ? 0 : 1);
  const c = colour(Deno.stdout);
  return {
    exit: EXIT.yes,
    text: [
      `${c.bold("unpacked")} ${shownPath(target, root)}`,
      `         ${count(number, "file")} of ${repro.session}`,
      c.dim("Nothing was verified: pp replay runs its claim again."),
    ].join("\n"),
    json: { format: "veripatch-unpacked/v1", path: target, session: repro.session, files: number },
  };
}

function folderOf(path: string): string {
  const name = path.split("/").at(-1)!;
  if (name.endsWith(".ppb") && name !== ".ppb") return name.slice(0, -".ppb".length);
  throw new Failure("usage", "output_missing", "the folder to make has no name", {
    hint: "name it with -o DIR",
  });
}
