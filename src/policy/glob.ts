/**
 * The glob dialect of policies: picomatch's with dot files included, cut down to what reads the same to
 * everyone, matched without regular expressions so that no glob and no path can make it slow.
 */

/** Longest glob, in UTF-16 code units. */
export const MAX_GLOB_LENGTH = 512;
/** Most globs the braces of one glob may stand for. */
export const MAX_GLOB_ALTERNATIVES = 64;

/** One character of a path segment: itself, any, one of some, or any number of any. */
type Atom =
  | { readonly kind: "character"; readonly point: number }
  | { readonly kind: "any" }
  | {
    readonly kind: "class";
    readonly negated: boolean;
    readonly ranges: readonly (readonly [number, number])[];
  }
  | { readonly kind: "star" };

/** Matches one segment; a class may also be meant literally, so there can be a literal reading beside it. */
type Segment = "globstar" | readonly (readonly Atom[])[];

export interface Glob {
  readonly source: string;
  /** One per brace alternative. */
  readonly alternatives: readonly (readonly Segment[])[];
}

export type GlobResult = { readonly ok: true; readonly glob: Glob } | {
  readonly ok: false;
  readonly detail: string;
};

/** Reads a glob, or says why it is refused (absolute, `..`, outside the dialect, too long, too many braces). */
export function parseGlob(source: string): GlobResult {
  try {
    if (source === "") refuse("an empty glob matches nothing");
    if (source.length > MAX_GLOB_LENGTH) refuse(`longer than ${MAX_GLOB_LENGTH} characters`);
    if (!source.isWellFormed()) refuse("not valid Unicode");
    if (/\p{Cc}/u.test(source)) refuse("contains a control character");
    if (source !== source.trim()) refuse("starts or ends with a blank");
    if (source.startsWith("!")) {
      refuse("negation is not supported; use deny_write for what must not be written");
    }
    const alternatives = expandBraces(source).map(parsePath);
    return { ok: true, glob: { source, alternatives } };
  } catch (error) {
    if (error instanceof GlobRefusal) return { ok: false, detail: error.message };
    throw error;
  }
}

/** Whether a normalized relative POSIX path matches; case-sensitive, in time path length × glob length. */
export function matchesGlob(glob: Glob, path: string): boolean {
  return matchesAnyGlob([glob], path);
}

/** Whether a path matches one of many globs; the path is taken apart once. */
export function matchesAnyGlob(globs: readonly Glob[], path: string): boolean {
  const segments = path.split("/").map(codePoints);
  const name = segments.at(-1)!;
  return globs.some((glob) =>
    glob.alternatives.some((pattern) => {
      // Names differ more often than folders, and what is no globstar at the end has to match the name.
      const last = pattern.at(-1)!;
      if (last !== "globstar" && !last.some((atoms) => matchSegment(atoms, name))) return false;
      return matchPath(pattern, segments);
    })
  );
}

class GlobRefusal extends Error {}

function refuse(detail: string): never {
  throw new GlobRefusal(detail);
}

/** Innermost-free: braces do not nest, so each group multiplies what stands before and after it. */
function expandBraces(source: string): string[] {
  let expanded = [""];
  let options: string[] | null = null;
  let inClass = false;
  const append = (text: string) => {
    if (options === null) expanded = expanded.map((e) => e + text);
    else options[options.length - 1] += text;
  };
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!;
    if (c === "\\") {
      append(c + (source[++i] ?? ""));
    } else if (inClass) {
      inClass = c !== "]";
      append(c);
    } else if (c === "[") {
      inClass = true;
      append(c);
    } else if (c === "{") {
      if (options !== null) refuse("braces inside braces are not supported; write two globs");
      options = [""];
    } else if (c === "}") {
      if (options === null) refuse("a } without its {; write \\} for the character");
      const group: string[] = options;
      if (group.length === 1) {
        refuse("braces need at least two alternatives, as in {a,b}; write \\{ for the character");
      }
      if (expanded.length * group.length > MAX_GLOB_ALTERNATIVES) {
        refuse(`its braces stand for more than ${MAX_GLOB_ALTERNATIVES} globs`);
      }
      expanded = expanded.flatMap((e) => group.map((o) => e + o));
      options = null;
    } else if (c === "," && options !== null) {
      options.push("");
    } else {
      append(c);
    }
  }
  if (options !== null) refuse("a { without its }; write \\{ for the character");
  return expanded;
}

function parsePath(pattern: string): Segment[] {
  if (pattern.startsWith("/") || /^[A-Za-z]:[\\/]/.test(pattern)) {
    refuse("absolute; globs are relative to the workspace");
  }
  const parts = pattern.split("/");
  if (parts.includes("..")) refuse("contains ..; nothing outside the workspace can ever be written");
  if (parts.at(-1) === "" && parts.length > 1) {
    refuse("ends with /; write /** at the end for all that is below");
  }
  if (parts.includes("")) refuse("has an empty segment");
  if (parts.includes(".")) refuse("contains a . segment; write the path without ./");
  return parts.map((part) => {
    if (part === "**") return "globstar";
    if (part.includes("**")) refuse("** must stand alone between slashes");
    return parseSegment(part);
  });
}

function parseSegment(part: string): Segment {
  const points = [...part];
  const atoms: Atom[] = [];
  const literally: Atom[] = [];
  let hasClass = false;
  const both = (atom: Atom) => {
    atoms.push(atom);
    literally.push(atom);
  };
  for (let i = 0; i < points.length; i++) {
    const c = points[i]!;
    if (c === "\\") {
      const next = points[++i];
      if (next === undefined || !/[\p{P}\p{S}]/u.test(next)) {
        refuse("a backslash must stand before punctuation");
      }
      both(character(next));
    } else if (c === "*") {
      both({ kind: "star" });
    } else if (c === "?") {
      both({ kind: "any" });
    } else if (c === "[") {
      const [atom, end] = parseClass(points, i);
      atoms.push(atom);
      literally.push(...points.slice(i, end + 1).map(character));
      hasClass = true;
      i = end;
    } else if (c === "]") {
      refuse("a ] without its [; write \\] for the character");
    } else if ("()|".includes(c)) {
      refuse(`${c} is not part of the dialect; write \\${c} for the character`);
    } else {
      both(character(c));
    }
  }
  return hasClass ? [atoms, literally] : [atoms];
}

/** Reads `[abc]`, `[a-z]`, `[!a-z]` or `[^a-z]` at `start`; gives the atom and where its `]` stands. */
function parseClass(points: readonly string[], start: number): [Atom, number] {
  let i = start + 1;
  const negated = points[i] === "!" || points[i] === "^";
  if (negated) i++;
  const ranges: [number, number][] = [];
  for (; points[i] !== "]"; i++) {
    const from = points[i];
    if (from === undefined) refuse("a [ without its ]; write \\[ for the character");
    if (from === "[" || from === "\\") refuse(`${from} cannot stand inside [ ]`);
    const first = from.codePointAt(0)!;
    const to = points[i + 2];
    if (points[i + 1] === "-" && to !== undefined && to !== "]") {
      if (to === "[" || to === "\\") refuse(`${to} cannot stand inside [ ]`);
      const last = to.codePointAt(0)!;
      if (last < first) refuse(`the range ${from}-${to} is empty`);
      ranges.push([first, last]);
      i += 2;
    } else {
      ranges.push([first, first]);
    }
  }
  if (ranges.length === 0) refuse("[] is empty; write \\[ and \\] for the characters");
  return [{ kind: "class", negated, ranges }, i];
}

function character(c: string): Atom {
  return { kind: "character", point: c.codePointAt(0)! };
}

function codePoints(text: string): number[] {
  return Array.from(text, (c) => c.codePointAt(0)!);
}

/** Globstars at most restart behind themselves, so each pattern segment meets each path segment once or so. */
function matchPath(pattern: readonly Segment[], path: readonly (readonly number[])[]): boolean {
  return matchWithStars(
    pattern.length,
    path.length,
    (p) => pattern[p] === "globstar",
    (p, s) => {
      const segment = pattern[p]!;
      return segment !== "globstar" && segment.some((atoms) => matchSegment(atoms, path[s]!));
    },
  );
}

function matchSegment(atoms: readonly Atom[], text: readonly number[]): boolean {
  if (text.length === 0) return false;
  return matchWithStars(
    atoms.length,
    text.length,
    (p) => atoms[p]!.kind === "star",
    (p, s) => {
      const atom = atoms[p]!;
      const point = text[s]!;
      if (atom.kind === "character") return atom.point === point;
      if (atom.kind === "class") {
        return atom.negated !== atom.ranges.some(([a, b]) => a <= point && point <= b);
      }
      return true;
    },
  );
}

/**
 * Wildcard matching with one step back: when a match fails, only the last star takes one more, since a later
 * star can do all that an earlier one could. At most `patternLength × textLength` comparisons.
 */
function matchWithStars(
  patternLength: number,
  textLength: number,
  isStar: (patternAt: number) => boolean,
  matches: (patternAt: number, textAt: number) => boolean,
): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let starText = 0;
  while (t < textLength) {
    if (p < patternLength && isStar(p)) {
      star = p++;
      starText = t;
    } else if (p < patternLength && matches(p, t)) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (p < patternLength && isStar(p)) p++;
  return p === patternLength;
}
