import type { FileMode } from "../vocabulary/manifest.ts";
import type { ByteString } from "../vocabulary/patch.ts";
import { unquote } from "./quote.ts";
import { refuse, type Refused } from "./refusal.ts";

/** What git's extended header lines of one file said so far. Names are bytes, unquoted, unchecked. */
export interface ExtendedHeader {
  created: boolean;
  deleted: boolean;
  oldMode?: FileMode;
  newMode?: FileMode;
  /** From the `index` line of an unchanged mode. */
  indexMode?: FileMode;
  renameFrom?: ByteString;
  renameTo?: ByteString;
}

/**
 * Reads one extended header line into `header`.
 * @returns true when it was one, false when it is something else, a refusal for what is never allowed: binary
 *   content, submodules, links and devices, other modes, copies
 */
export function takeHeaderLine(line: string, header: ExtendedHeader): boolean | Refused {
  if (line === "GIT binary patch" || /^Binary files .* differ$/.test(line)) {
    return refuse("binary_patch", "binary patches are not taken; only text files can be patched");
  }
  if (line.startsWith("copy from ") || line.startsWith("copy to ")) {
    return refuse("copy_not_allowed", "copies are not taken; create the new file with its content instead");
  }
  const mode = /^(old mode|new mode|new file mode|deleted file mode) (\S+)$/.exec(line);
  if (mode) {
    const read = readMode(mode[2]!);
    if (typeof read !== "string") return read;
    const to = mode[1]!;
    if (to === "old mode" || to === "deleted file mode") header.oldMode = read;
    else header.newMode = read;
    if (to === "deleted file mode") header.deleted = true;
    if (to === "new file mode") header.created = true;
    return true;
  }
  const index = /^index [0-9a-f]*\.\.[0-9a-f]*(?: (\S+))?$/.exec(line);
  if (index) {
    if (index[1] === undefined) return true;
    const read = readMode(index[1]);
    if (typeof read !== "string") return read;
    header.indexMode = read;
    return true;
  }
  const rename = /^rename (from|to) (.+)$/.exec(line);
  if (rename) {
    const quoted = unquote(rename[2]!);
    const name = quoted && quoted.rest === "" ? quoted.value : rename[2] as ByteString;
    if (rename[1] === "from") header.renameFrom = name;
    else header.renameTo = name;
    return true;
  }
  return /^(?:dis)?similarity index \d{1,3}%$/.test(line);
}

function readMode(text: string): FileMode | Refused {
  if (text === "100644" || text === "100755") return text;
  if (text === "160000") return refuse("submodule", "submodules (mode 160000) cannot be patched");
  if (/^\d{1,7}$/.test(text) && !/^0?100\d{3}$/.test(text)) {
    return refuse(
      "device_or_link_mode",
      `mode ${text} is no regular file: links, devices and directories are not taken`,
    );
  }
  return refuse("mode_not_allowed", `mode ${text} is not taken; only 100644 and 100755 are`);
}

/**
 * The possible readings of what follows `diff --git `: pairs of names with their prefixes, unquoted. Names with
 * spaces make more than one reading possible; later header lines decide.
 */
export function gitHeaderNames(rest: string): [ByteString, ByteString][] {
  const first = unquote(rest);
  if (first) {
    if (first.rest[0] !== " ") return [];
    const tail = first.rest.slice(1);
    const second = unquote(tail);
    if (second) return second.rest === "" ? [[first.value, second.value]] : [];
    return tail.startsWith('"') ? [] : [[first.value, tail as ByteString]];
  }
  const pairs: [ByteString, ByteString][] = [];
  const quotedAt = rest.endsWith('"') ? rest.indexOf(' "') : -1;
  if (quotedAt > 0) {
    const second = unquote(rest.slice(quotedAt + 1));
    if (second && second.rest === "") pairs.push([rest.slice(0, quotedAt) as ByteString, second.value]);
  }
  // The usual case first, so that no number of spaces in a name can hide it: twice the same name.
  const middle = (rest.length - 1) / 2;
  if (Number.isInteger(middle) && rest[middle] === " ") {
    pairs.push([rest.slice(0, middle) as ByteString, rest.slice(middle + 1) as ByteString]);
  }
  for (let at = rest.indexOf(" b/"); at >= 0 && pairs.length < 64; at = rest.indexOf(" b/", at + 1)) {
    pairs.push([rest.slice(0, at) as ByteString, rest.slice(at + 1) as ByteString]);
  }
  return pairs;
}
