import { z } from "zod";
import { type DocumentParse, parseDocument } from "../document/parse.ts";
import { CAPABILITIES, type Capability } from "./capability.ts";

const MAX_ENTRIES = 400;

const words = z.array(z.string().min(1).max(200)).max(MAX_ENTRIES).default([]);
const regex = z.string().max(400).superRefine((source, context) => {
  try {
    new RegExp(source, "u");
  } catch (error) {
    context.addIssue({ code: "custom", message: `no regular expression: ${(error as Error).message}` });
  }
});
const snippets = z.array(z.string().min(1).max(4_000), { error: "expected a list of code examples" })
  .min(1, { error: "must have at least one example" }).max(40);

const argumentShape = {
  position: z.number().int().min(0).max(20).optional(),
  name: z.string().max(60).optional(),
};

const whenShape = {
  ...argumentShape,
  text: regex.optional().meta({ description: "A constant must match it; what is computed does." }),
  constant: z.boolean().default(false).meta({ description: "What is computed does not count." }),
  computed: z.boolean().default(false).meta({ description: "Only what is computed counts." }),
  absent: z.boolean().default(false).meta({ description: "Counts also where the argument is left out." }),
};

const unlessShape = { ...argumentShape, symbols: words, text: regex.optional() };

const ruleShape = {
  id: z.string().regex(/^[a-z][a-z0-9-]{1,60}$/, { error: "expected an id, such as run-program" }),
  capability: z.enum(CAPABILITIES),
  about: z.string().min(1).max(200),
  symbols: words.meta({
    description: "Counts when it is used in any way; * and ** stand for any characters.",
  }),
  calls: words.meta({ description: "Counts when it is called." }),
  imports: words.meta({ description: "Modules that count when they are imported." }),
  except: words.meta({ description: "Symbols that do not count, whatever the others say." }),
  texts: z.array(regex).max(MAX_ENTRIES).default([]).meta({
    description: "Regular expressions for constant strings.",
  }),
  settings: z.record(z.string(), z.array(z.string()).min(1)).default({}).meta({
    description: "Names that count when they are given one of these values; … is a computed one, * any.",
  }),
  when: z.strictObject(whenShape).optional(),
  unless: z.strictObject(unlessShape).optional(),
  options: words.meta({ description: "Named arguments that are part of the argument shape." }),
  match: snippets,
  no_match: snippets,
};

const fileShape = {
  language: z.string().regex(/^[a-z]+$/),
  also: words.meta({ description: "Other languages with the same rules." }),
  globals: words.meta({ description: "Names whose members are the language's own globals." }),
  always: words.meta({ description: "Modules of which every name is there without an import." }),
  builtins: words.meta({
    description: "Names of the language that count also where a block or branch gives them another meaning.",
  }),
  reexported: words.meta({
    description: "Modules that are the same as a member of any other module: logging.os is os.",
  }),
  rules: z.array(z.strictObject(ruleShape)).min(1).max(MAX_ENTRIES).superRefine((rules, context) => {
    const seen = new Set<string>();
    rules.forEach((rule, i) => {
      if (seen.has(rule?.id)) {
        context.addIssue({ code: "custom", path: [i, "id"], message: "is there twice" });
      }
      seen.add(rule?.id);
      const { symbols, calls, imports, texts, settings } = rule ?? {};
      if ([symbols, calls, imports, texts, Object.keys(settings ?? {})].every((list) => !list?.length)) {
        context.addIssue({ code: "custom", path: [i], message: "names nothing that could match" });
      }
    });
  }),
};

const fileSchema = z.strictObject(fileShape, { error: "expected a file of rules: language and rules" });

const KNOWN = new Map([
  ["", Object.keys(fileShape)],
  ["rules[]", Object.keys(ruleShape)],
  ["rules[].when", Object.keys(whenShape)],
  ["rules[].unless", Object.keys(unlessShape)],
]);

/** The rules of one language, as a file in policies/capabilities has them. */
export type RuleFile = z.output<typeof fileSchema>;
export type RuleConfig = RuleFile["rules"][number];

/**
 * Reads a file of capability rules.
 * @returns the rules, or every problem of the file
 */
export function parseRuleFile(text: string, fileName: string): DocumentParse<RuleFile> {
  return parseDocument(text, fileName, { schema: fileSchema, known: KNOWN, empty: "the file is empty" });
}

/** A rule ready to be matched. */
export interface Rule {
  readonly id: string;
  readonly capability: Capability;
  readonly config: RuleConfig;
  readonly except: (symbol: string) => boolean;
}

/** The rules of one language, indexed by what they name. */
export interface LanguageRules {
  readonly globals: readonly string[];
  readonly always: readonly string[];
  readonly builtins: ReadonlySet<string>;
  /** Whether the file's own rules speak of members of this symbol. */
  holds(symbol: string): boolean;
  /** A symbol without what only holds the language's globals: members of that are those globals. */
  canonical(symbol: string): string;
  /** Rules whose symbols, or calls where it is called, match. */
  symbolRules(symbol: string, called: boolean): readonly Rule[];
  importRules(module: string): readonly Rule[];
  textRules(text: string): readonly Rule[];
  /** Whether any rule looks at constants at all. */
  readonly readsTexts: boolean;
  settingRules(name: string): readonly { readonly rule: Rule; readonly values: readonly string[] }[];
}

/** Rules by language; none for a language without rules. */
export type Rules = Pick<ReadonlyMap<string, LanguageRules>, "get">;

/** Makes rules ready. */
export function compileRules(files: readonly RuleFile[]): Rules {
  const all = new Map<string, LanguageRules>();
  for (const file of files) {
    const compiled = compile(file);
    for (const language of [file.language, ...file.also]) all.set(language, compiled);
  }
  return all;
}

interface Pattern {
  readonly rule: Rule;
  readonly source: string;
  readonly test: (symbol: string) => boolean;
  readonly calledOnly: boolean;
}

function compile(file: RuleFile): LanguageRules {
  const exact = new Map<string, Pattern[]>();
  const byEnd = new Map<string, Pattern[]>();
  const others: Pattern[] = [];
  const imports: Pattern[] = [];
  const texts: { readonly rule: Rule; readonly test: RegExp }[] = [];
  const settings = new Map<string, { rule: Rule; values: readonly string[] }[]>();
  const push = <T>(map: Map<string, T[]>, key: string, value: T) => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [value]);
    else list.push(value);
  };
  for (const config of file.rules) {
    const excluded = config.except.map(patternTest);
    const rule: Rule = {
      id: config.id,
      capability: config.capability,
      config,
      except: (symbol) => excluded.some((test) => test(symbol)),
    };
    for (const [list, calledOnly] of [[config.symbols, false], [config.calls, true]] as const) {
      for (const source of list) {
        const pattern = { rule, source, test: patternTest(source), calledOnly };
        if (!source.includes("*")) push(exact, source, pattern);
        else if (!lastSegment(source).includes("*")) push(byEnd, lastSegment(source), pattern);
        else others.push(pattern);
      }
    }
    for (const source of config.imports) {
      imports.push({ rule, source, test: patternTest(source), calledOnly: false });
    }
    for (const source of config.texts) texts.push({ rule, test: new RegExp(source, "u") });
    for (const [name, values] of Object.entries(config.settings)) push(settings, name, { rule, values });
  }
  const holders = new Set([
    ...file.globals,
    ...[...exact.keys(), ...others.map(({ source }) => source)].flatMap(holdersOf),
  ]);
  // Real sources use the same symbols again and again.
  const known = new Map<string, readonly Rule[]>();
  const canonical = (symbol: string): string => {
    const holder = file.globals.find((holder) => symbol.startsWith(`${holder}.`));
    if (holder !== undefined) return canonical(symbol.slice(holder.length + 1));
    const last = lastSegment(symbol).replace(/^_/, "");
    const reexported = symbol.includes(".") && file.reexported.includes(last) && !/^[.?]/.test(symbol) &&
      !holders.has(symbol) && !exact.has(symbol);
    return reexported ? last : symbol;
  };
  return {
    holds: (symbol) => holders.has(symbol),
    globals: file.globals,
    always: file.always,
    builtins: new Set(file.builtins),
    canonical,
    symbolRules(symbol, called) {
      const key = `${called ? "c" : "m"}${symbol}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const candidates = [
        ...exact.get(symbol) ?? [],
        ...(byEnd.get(lastSegment(symbol)) ?? []).filter(({ test }) => test(symbol)),
        ...others.filter(({ test }) => test(symbol)),
      ];
      const found = [
        ...new Set(
          candidates.filter(({ rule, calledOnly }) => (called || !calledOnly) && !rule.except(symbol))
            .map(({ rule }) => rule),
        ),
      ];
      if (known.size < 20_000) known.set(key, found);
      return found;
    },
    importRules: (module) => [...new Set(imports.filter(({ test }) => test(module)).map(({ rule }) => rule))],
    textRules: (value) => [...new Set(texts.filter(({ test }) => test.test(value)).map(({ rule }) => rule))],
    readsTexts: texts.length > 0,
    settingRules: (name) => settings.get(name) ?? [],
  };
}

/** `os` and `os.environ` of `os.environ.*`: what has members that a rule speaks of. */
function holdersOf(source: string): string[] {
  const names = source.split(".");
  const open = names.findIndex((name) => name.includes("*"));
  const known = names.slice(0, open < 0 ? -1 : open);
  return known.map((_, i) => known.slice(0, i + 1).join("."));
}

function lastSegment(symbol: string): string {
  return symbol.slice(symbol.lastIndexOf(".") + 1);
}

/**
 * `*` stands for any characters of names, `**` also for calls and indices between them, as does a `*` at the start.
 * Matched without backtracking over hostile symbols.
 */
function patternTest(source: string): (symbol: string) => boolean {
  if (!source.includes("*")) return (symbol) => symbol === source;
  const open = source.startsWith("*.") || source.includes("**");
  const [head = "", ...rest] = source.split(/\*+/);
  const tail = rest.pop()!;
  const own = (source.match(/[([]/g) ?? []).length;
  return (symbol) => {
    if (symbol.length < head.length + tail.length || !symbol.startsWith(head) || !symbol.endsWith(tail)) {
      return false;
    }
    if (!open && (symbol.match(/[([]/g) ?? []).length > own) return false;
    let from = head.length;
    const end = symbol.length - tail.length;
    for (const part of rest) {
      const at = symbol.indexOf(part, from);
      if (at < 0 || at + part.length > end) return false;
      from = at + part.length;
    }
    return true;
  };
}
