import type { Dialect } from "./dialect.ts";
import { SAME } from "./intrinsics.ts";
import type { Scope } from "./scope.ts";
import {
  ANY_MODULE,
  callables,
  COMPUTED,
  elementOf,
  indexed,
  type Meaning,
  symbol,
  union,
  unionOf,
  type Value,
} from "./values.ts";

/** Calls of these give what calls of their object give: `f.call(this, x)`, `f.bind(x)`, `f.apply(x, xs)`. */
export const CALLERS: Readonly<Record<string, number>> = {
  call: 1,
  apply: 1,
  bind: 1,
  Invoke: 0,
  __call__: 0,
};

/** Methods of a table of names, such as `globals()`. */
const TABLE_METHODS = new Set([
  "get",
  "pop",
  "setdefault",
  "__getitem__",
  "items",
  "values",
  "copy",
  "update",
]);

/** A file that hands on more is about modules, not about what they do. */
const MAX_HANDED_ON = 16;

/** What the names of a file, and the members of what they name, may be. */
export class Names {
  /** Modules of which every name is there. */
  readonly #modules: string[];
  /** What was ever put under a name of something, whatever it was put into. */
  readonly #fields = new Map<string, Value>();
  /** Symbols with members that rules speak of, and that went where they are not followed: any value may be one. */
  readonly #handedOn = new Set<string>();
  readonly #classes = new Set<string>();

  constructor(private readonly dialect: Dialect) {
    this.#modules = [...dialect.rules.always];
  }

  /** Every name of a module is there from now on. */
  allOf(module: string): void {
    if (!this.#modules.includes(module) && this.#modules.length < 60) this.#modules.push(module);
  }

  /** What a name may be in a scope. */
  named(name: string, scope: Scope): Value {
    const found = scope.lookup(name);
    // A name of the language's own is that outside of the block or the branch that gives it another meaning.
    const { builtins } = this.dialect.rules;
    if (found !== null && (!builtins.has(name) || scope.isSure(name))) return found;
    // A variable that nothing here gave a value has one all the same.
    if (name.startsWith("$")) return [symbol(name), { is: "unknown" }];
    const plain = this.dialect.ignoreCase ? name.toLowerCase() : name;
    const value = [symbol(plain), ...this.#modules.map((module) => symbol(`${module}.${name}`))];
    // Ruby's and PHP's bare names may be what was put into a field.
    return unionOf([found ?? [], value, name.startsWith("@") ? this.#stored(name) : []]);
  }

  /** `object[name]` with what the name may be. */
  memberOf(object: Value, names: Value, scope: Scope): Value {
    const found: Value[] = [];
    let open = names.length === 0;
    for (const name of names) {
      if (name.is === "text" && name.whole) found.push(this.member(object, name.value, scope));
      else if (name.is === "literal") found.push(indexed(object, name.source));
      else open = true;
    }
    if (open) {
      const entries = object.length > 0 &&
        object.every((m) => m.is === "list" || (m.is === "record" && m.whole));
      const anything = object.some((m) => m.is === "symbol" && this.holdsGlobals(m.name));
      found.push(entries ? elementOf(object) : [symbol(anything ? ANY_MODULE : COMPUTED)]);
    }
    return unionOf(found);
  }

  /** Whether a symbol is something with members that rules speak of. */
  isHolder(name: string): boolean {
    return this.holdsGlobals(name) || this.dialect.rules.holds(name);
  }

  /** Whether members of a symbol are names of the whole program. */
  holdsGlobals(name: string): boolean {
    return this.dialect.rules.globals.includes(name) ||
      ["globals()", "sys.modules", ANY_MODULE].includes(name);
  }

  /** `object.name`. */
  member(object: Value, name: string, scope: Scope): Value {
    const found: Meaning[] = [];
    let known = false;
    for (const m of object) {
      if (m.is === "record") {
        const entry = m.entries.get(name);
        if (entry !== undefined) {
          found.push(...entry);
          known = true;
        }
      } else if (m.is === "symbol") {
        known = true;
        if (TABLE_METHODS.has(name) && this.holdsGlobals(m.name)) found.push(symbol(`globals().${name}`));
        else if (m.name === "globals()" || m.name === "locals()" || m.name === "vars()") {
          found.push(...this.named(name, scope));
        } else if (m.name === "sys.modules") found.push(symbol(name));
        else if (name === "__dict__") found.push(m);
        else if (m.name === COMPUTED && CALLERS[name] === undefined) {
          found.push(symbol(`?.${name}`), ...this.#stored(name), ...this.#ofHandedOn(name));
        } else {
          found.push(symbol(this.dialect.rules.canonical(`${m.name}.${name}`)));
          if (name === "default") found.push(m);
          // Something made: it has what was put under the name, too.
          if (/[)\]]$/.test(m.name)) found.push(...this.#stored(name));
          if (this.#handedOn.size > 0 && this.#isMade(m.name)) found.push(...this.#ofHandedOn(name));
        }
      } else if (m.is === "list" && /^\d+$/.test(name)) {
        found.push(...m.items[Number(name)] ?? []);
        known = true;
      }
    }
    return known ? found : unionOf([[symbol(`?.${name}`)], this.#stored(name), this.#ofHandedOn(name)]);
  }

  #isMade(name: string): boolean {
    return /[)\]]/.test(name) || name.startsWith("?") || this.#classes.has(name.split(".", 1)[0]!);
  }

  #ofHandedOn(name: string): Value {
    return [...this.#handedOn].map((holder) => symbol(this.dialect.rules.canonical(`${holder}.${name}`)));
  }

  /** What a table of names gives for one of them: `sys.modules.get("os")`, `vars(os).pop("system")`. */
  itemOf(symbolName: string, key: Value, scope: Scope): Value {
    const [, object, method] = /^(.*)\.(\w+)$/s.exec(symbolName) ?? [];
    if (object !== undefined && SAME.has(method!) && this.isHolder(object)) return [symbol(object)];
    if (object === undefined || !["get", "pop", "setdefault", "__getitem__"].includes(method!)) return [];
    if (this.holdsGlobals(object)) return this.memberOf([symbol(object)], key, scope);
    if (this.dialect.rules.symbolRules(object, false).length > 0) return [];
    return key.flatMap((m): Value => {
      if (m.is !== "text" || !m.whole) return [];
      const member = `${object}.${m.value}`;
      return this.dialect.rules.symbolRules(member, true).length > 0 ? [symbol(member)] : [];
    });
  }

  /** A symbol under the name that rules have for it. */
  canonical(name: string): string {
    return this.dialect.rules.canonical(name);
  }

  /** Something becomes a value that is not followed, such as an argument of a function of another file. */
  handOn(value: Value): void {
    for (const m of value) {
      if (m.is !== "symbol" || this.#handedOn.size >= MAX_HANDED_ON) continue;
      // What a rule speaks of itself is reported where it is handed on.
      const { rules } = this.dialect;
      if (rules.holds(m.name) && rules.symbolRules(m.name, false).length === 0) this.#handedOn.add(m.name);
    }
  }

  /** A class of this file: its members are what was put under their names. */
  ownClass(name: string): void {
    this.#classes.add(name);
  }

  #stored(name: string): Value {
    return this.#fields.get(name) ?? [];
  }

  /** Keeps what can be called and was put under a name of something. */
  store(name: string, value: Value): void {
    const kept = callables(value);
    if (kept.length > 0) this.#fields.set(name, union(this.#stored(name), kept));
  }
}
