import type { Finding } from "../vocabulary/finding.ts";
import type { FilePatch, Patch } from "../vocabulary/patch.ts";
import { parentsOf } from "../vocabulary/path.ts";
import { type Glob, matchesAnyGlob, parseGlob } from "./glob.ts";
import type { Policy } from "./policy.ts";
import { PROTECTED_RULES, type ProtectedRule } from "./protected_table.ts";
import { changesOnlyMembers } from "./protected_json.ts";

/** A protected path and what the policy has to say of it. */
export interface Protection {
  /** Name of the rule that matched: one of PROTECTED_RULES, or `policy` for a glob of `protect.also`. */
  readonly rule: string;
  readonly about: string;
  /** Whether the policy lets a patch touch it: `protect.allow` matches, or `protect.enabled` is false. */
  readonly allowed: boolean;
  /** Members of a JSON file that any patch may change. */
  readonly freeMembers: readonly string[] | null;
}

/** A protected path that a patch touches. */
export interface ProtectedTouch extends Protection {
  readonly path: string;
}

/** Bytes of a file before and after a patch that only modifies it; null when they are not known. */
export type Contents = (
  file: FilePatch,
) => { readonly before: Uint8Array; readonly after: Uint8Array } | null;

interface Compiled {
  readonly rule: ProtectedRule;
  readonly anyCase: readonly Glob[];
  readonly exact: readonly Glob[];
}

/** Name of the rule behind globs of `protect.also`. */
const POLICY_RULE = "policy";
/** Names of one path that are looked at; a workspace has a handful. */
const MAX_ALIASES = 1_000;

let table: readonly Compiled[] | undefined;

/**
 * Says of single paths whether they are protected; compiled once for a policy. Case does not count, and neither does
 * what some file system does not see: trailing dots and blanks, streams, characters without width. `protect.allow`
 * alone is matched as it is written.
 * @param links target by path of the base's symbolic links, so that a file which a protected name leads to is
 *   protected as well. Of links inside a protected folder only the name counts: they may lead to what is tested
 * @returns a function that gives null for a path that is not protected
 * @throws RangeError if the policy holds a glob that the schema would have refused
 */
export function protectionOf(
  policy: Pick<Policy, "protect">,
  links: ReadonlyMap<string, string> = new Map(),
): (path: string) => Protection | null {
  table ??= PROTECTED_RULES.map((rule) => ({
    rule,
    anyCase: rule.globs.map((glob) => compiled(folded(glob))),
    exact: (rule.exactCase ?? []).map(compiled),
  }));
  const { enabled, also, allow } = policy.protect;
  const added: Compiled = {
    rule: { name: POLICY_RULE, about: "protected by the policy", globs: also },
    // A range of characters may be none any more in lower case.
    anyCase: also.map(folded).filter((glob) => parseGlob(glob).ok).map(compiled),
    exact: also.map(compiled),
  };
  const allowed = allow.map(compiled);
  const rules = [...table, added];
  const allAnyCase = rules.flatMap((rule) => rule.anyCase);
  const allExact = rules.flatMap((rule) => rule.exact);
  const rulesOf = (path: string): readonly ProtectedRule[] => {
    const names = [...new Set([folded(path), plainPath(path)])];
    // Most paths match nothing, and are taken apart only once to learn it.
    if (!names.some((name) => matchesAnyGlob(allAnyCase, name)) && !matchesAnyGlob(allExact, path)) {
      return [];
    }
    return rules.filter(({ anyCase, exact }) =>
      names.some((name) => matchesAnyGlob(anyCase, name)) || matchesAnyGlob(exact, path)
    ).map(({ rule }) => rule);
  };
  const aliases = aliasesOf(links, (path) => rulesOf(path).length > 0);
  return (path) => {
    const found = [path, ...aliases(path)].flatMap(rulesOf);
    // Members are free if the rule that frees them is alone: a policy that names a package.json means all of it.
    const whole = found.find((rule) => rule.freeMembers === undefined);
    const rule = whole ?? found[0];
    if (rule === undefined) return null;
    const permitted = !enabled || matchesAnyGlob(allowed, path);
    return { rule: rule.name, about: rule.about, allowed: permitted, freeMembers: rule.freeMembers ?? null };
  };
}

/**
 * The protected paths that a patch touches, in its order. Both paths of a rename count, and so do creations, deletions
 * and changes of mode. A JSON file of which only free members change is not touched, if `contents` can show it.
 */
export function protectedTouches(
  patch: Patch,
  protection: (path: string) => Protection | null,
  contents: Contents = () => null,
): ProtectedTouch[] {
  return patch.files.flatMap((file) => {
    const paths = new Set([file.oldPath, file.newPath].filter((path) => path !== null));
    return [...paths].flatMap((path) => {
      const found = protection(path);
      if (found === null) return [];
      if (found.freeMembers !== null && isFreeChange(file, found.freeMembers, contents)) return [];
      return [{ path, ...found }];
    });
  });
}

/** What a verdict says of protected files that a patch touches and the policy allows it to. */
export function protectedFindings(touches: readonly ProtectedTouch[]): Finding[] {
  return touches.map(({ path, rule, about }) => ({
    code: "protected_touched",
    path,
    rule,
    detail: `the patch touches a protected file (${about}), as the policy allows`,
  }));
}

/**
 * The globs a proposer should know: those of rules about languages of the base, of tests and builds in general, and
 * the policy's own.
 * @param paths files of the base
 */
export function protectedGlobs(policy: Pick<Policy, "protect">, paths: Iterable<string>): string[] {
  if (!policy.protect.enabled) return [];
  const extensions = new Set<string>();
  for (const path of paths) extensions.add(path.slice(path.lastIndexOf(".") + 1).toLowerCase());
  const told = PROTECTED_RULES.filter(({ tellWhen }) => tellWhen?.some((e) => extensions.has(e)) ?? true);
  return [
    ...new Set([...told.flatMap((rule) => [...rule.globs, ...rule.exactCase ?? []]), ...policy.protect.also]),
  ];
}

function isFreeChange(file: FilePatch, members: readonly string[], contents: Contents): boolean {
  const { oldPath, newPath, oldMode, newMode } = file;
  if (oldPath === null || oldPath !== newPath || oldMode !== newMode) return false;
  const both = contents(file);
  return both !== null && changesOnlyMembers(both.before, both.after, members);
}

/** Other names of a path by way of links, near and far. */
function aliasesOf(
  links: ReadonlyMap<string, string>,
  judge: (path: string) => boolean,
): (path: string) => string[] {
  // Links share folders and names.
  const judged = new Map<string, boolean>();
  const isProtected = (path: string): boolean => {
    const known = judged.get(path);
    if (known !== undefined) return known;
    const verdict = judge(path);
    judged.set(path, verdict);
    return verdict;
  };
  const all: Link[] = [];
  for (const [link, to] of links) {
    const folder = link.slice(0, link.lastIndexOf("/") + 1);
    const target = resolved(folder, to);
    if (target !== null) all.push({ link, folder, target });
  }
  // What lies in a folder of tests may well be a link to what is tested: then only its own name counts.
  const byName = ({ link }: Link) => isProtected(link.slice(link.lastIndexOf("/") + 1));
  const outside = all.filter((link) => byName(link) || !isProtected(`${link.folder}any`));
  const aliases = namesBy(outside);
  return namesBy(outside.filter((link) => byName(link) || !aliases(`${link.folder}any`).some(isProtected)));
}

interface Link {
  readonly link: string;
  /** Where it lies, with a slash at the end; empty at the top. */
  readonly folder: string;
  /** Where it leads, inside the workspace. */
  readonly target: string;
}

/** Every other name that links give a path; each link is followed once in a name, so that loops end. */
function namesBy(known: readonly Link[]): (path: string) => string[] {
  const byTarget = new Map<string, Link[]>();
  for (const link of known) {
    const same = byTarget.get(link.target);
    if (same === undefined) byTarget.set(link.target, [link]);
    else same.push(link);
  }
  return (path) => {
    const names: { readonly name: string; readonly by: readonly Link[] }[] = [{ name: path, by: [] }];
    const seen = new Set([path]);
    for (let i = 0; i < names.length && names.length < MAX_ALIASES; i++) {
      const { name, by } = names[i]!;
      for (const target of [...parentsOf([name]), name]) {
        for (const link of byTarget.get(target) ?? []) {
          const other = link.link + name.slice(target.length);
          if (by.includes(link) || seen.has(other)) continue;
          seen.add(other);
          names.push({ name: other, by: [...by, link] });
        }
      }
    }
    return names.slice(1).map(({ name }) => name);
  };
}

/** Where a relative link leads inside the workspace; null when it leads out of it. */
function resolved(folder: string, target: string): string | null {
  if (target.startsWith("/")) return null;
  const segments: string[] = [];
  for (const segment of (folder + target).split("/")) {
    if (segment === "..") {
      if (segments.pop() === undefined) return null;
    } else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return segments.length === 0 ? null : segments.join("/");
}

/** Without what some file system does not see of a name: characters without width, a stream, dots at the end. */
function plainPath(path: string): string {
  return path.split("/").map((segment) =>
    folded(segment.replace(INVISIBLE, "")).replace(/:.*$/s, "").replace(/[. ]+$/, "")
  ).join("/");
}

const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

/** One spelling where case and composition of characters do not count. */
function folded(text: string): string {
  return text.normalize("NFC").toUpperCase().toLowerCase();
}

function compiled(source: string): Glob {
  const parsed = parseGlob(source);
  if (!parsed.ok) throw new RangeError(`glob ${JSON.stringify(source)}: ${parsed.detail}`);
  return parsed.glob;
}
