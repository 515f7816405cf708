import { basename, dirname, join, resolve } from "node:path";
import { bundleFolder } from "../bundle/open.ts";

/**
 * Where something made of a bundle goes unless the caller says otherwise: beside it, in the session's folder, which is
 * no part of any base. Of the folder `x` or the file `x.ppb` it has the name `x` with the ending of `name`.
 * @param path a bundle: its folder, its session's folder, or a `.ppb`
 * @param name in a session's folder, such as `report.html`
 */
export async function besideBundle(path: string, name: string): Promise<string> {
  const bundle = await bundleFolder(resolve(path));
  if (basename(bundle) === "proof_bundle") return join(dirname(bundle), name);
  return bundle.replace(/\.ppb$/, "") + name.slice(name.lastIndexOf("."));
}
