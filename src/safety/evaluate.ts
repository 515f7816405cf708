import type { SyntaxNode } from "../syntax/tree.ts";
import type { Argument, Expression } from "./expression.ts";
import { elementOf, type Given, intrinsic, isCallback } from "./intrinsics.ts";
import type { LanguageRules, Rule } from "./rules.ts";
import { Scope } from "./scope.ts";
import { ANYTHING, argumentShape, isComputed, MAX_POSITIONAL, MENTIONED, type Shape } from "./shape.ts";
import { decoded, fromNumbers, MAX_TEXT, stringMethod } from "./strings.ts";
import {
  ANY_MODULE,
  COMPUTED,
  concatenated,
  type Meaning,
  symbol,
  text,
  union,
  unionOf,
  UNKNOWN,
  type Value,
} from "./values.ts";

/** How a language differs where names and calls are followed. */
export interface Dialect {
  readonly rules: LanguageRules;
  /** A string can stand where a function's name is expected. */
  readonly textsAreCalled: boolean;
  /** Upper and lower case of names that are called mean the same. */
  readonly ignoreCase: boolean;
  /** A name that is nothing known is a command, and so a symbol; its directory does not count. */
  readonly shell: boolean;
}

/** Something that a rule speaks of, at a place. */
export interface Use {
  readonly rule: Rule;
  readonly symbol: string;
  readonly shape: Shape;
  readonly function: string;
  readonly at: SyntaxNode;
}

export type Evaluation =
  | { readonly ok: true; readonly uses: readonly Use[] }
  /** More work, or more uses, than any file people write. */
  | { readonly ok: false; readonly uses: readonly Use[] };

const MAX_STEPS = 4_000_000;
const MAX_USES = 20_000;
const FILE = "<file>";

/** Calls of these give what calls of their object give: `f.call(this, x)`, `f.bind(x)`, `f.apply(x, xs)`. */
const CALLERS: Readonly<Record<string, number>> = { call: 1, apply: 1, bind: 1, Invoke: 0, __call__: 0 };

class TooMuch extends Error {}

/**
 * Follows names through a source and finds what rules speak of. Two rounds learn what names may be, a third reports.
 * Pure and bounded: work grows with the source, and past a budget it ends.
 */
export function evaluate(source: Expression, dialect: Dialect): Evaluation {
  const reader = new Reader(dialect);
  try {
    reader.round(source, false);
    reader.round(source, false);
    reader.round(source, true);
    return { ok: true, uses: reader.uses };
  } catch (error) {
    if (error instanceof TooMuch) return { ok: false, uses: reader.uses };
    throw error;
  }
}

class Reader {
  readonly uses: Use[] = [];
  readonly #scopes = new Map<Expression, Scope>();
  readonly #file = new Scope(null, FILE);
  readonly #modules: string[];
  /** What was ever put under a name of something, whatever it was put into. */
  readonly #fields = new Map<string, Value>();
  /** What expressions came to in this round: chains are asked for more than once. */
  #known = new Map<Expression, Value>();
  #steps = 0;
  #report = false;

  constructor(private readonly dialect: Dialect) {
    this.#modules = [...dialect.rules.always];
  }

  round(source: Expression, report: boolean): void {
    this.#report = report;
    this.#known = new Map();
    this.#read(source, this.#file);
  }

  #read(e: Expression, scope: Scope): Value {
    const known = this.#known.get(e);
    if (known !== undefined) return known;
    const value = this.#readOnce(e, scope);
    this.#known.set(e, value);
    return value;
  }

  /** What an expression may be; in the reporting round, what it mentions is reported. */
  #readOnce(e: Expression, scope: Scope): Value {
    if (++this.#steps > MAX_STEPS) throw new TooMuch();
    switch (e.kind) {
      case "name": {
        const value = this.#named(e.name, scope);
        this.#mention(e, value, scope);
        return value;
      }
      case "text":
        this.#constant(e.value, e.at, scope);
        return [text(e.value)];
      case "literal":
        return [{ is: "literal", source: e.source.slice(0, 80) }];
      case "concat": {
        const value = concatenated(e.parts.map((part) => this.#read(part, scope)));
        for (const m of value) if (m.is === "text" && m.whole) this.#constant(m.value, e.at, scope);
        return value;
      }
      case "member": {
        const value = this.#chain(e, scope);
        this.#mention(e, value, scope);
        return value;
      }
      case "call":
        return this.#call(e, scope);
      case "list":
        return [{ is: "list", items: e.items.map((item) => this.#read(item, scope)), at: e.at.start }];
      case "record":
        return this.#record(e, scope);
      case "either":
        for (const aside of e.aside ?? []) this.#read(aside, scope);
        return unionOf(e.options.map((option) => this.#alternative(option, scope)));
      case "element":
        return elementOf(this.#read(e.of, scope));
      case "instance":
        return this.#quiet(e.type, scope).flatMap((m): Value =>
          m.is === "symbol" ? [symbol(`${m.name}()`)] : []
        );
      case "block": {
        let value: Value = [];
        for (const item of e.items) value = this.#read(item, scope);
        // The value of several things one after the other is not followed.
        return e.items.length === 1 ? value : [];
      }
      case "bind": {
        const value = e.value === null ? null : this.#read(e.value, scope);
        this.#bind(e.target, value, e.declares, scope);
        return value ?? [];
      }
      case "import":
        if (e.local !== "") scope.add(e.local, [symbol(e.symbol)], true);
        this.#imported(e.symbol, e.at, scope);
        return [];
      case "import_all":
        if (!this.#modules.includes(e.module) && this.#modules.length < 60) this.#modules.push(e.module);
        this.#imported(e.module, e.at, scope);
        return [];
      case "outer":
        for (const name of e.names) scope.outside(name);
        return [];
      case "function":
        return this.#function(e, scope);
      case "class": {
        const own = this.#scopeOf(e, scope, e.name);
        this.#read(e.body, own);
        return [];
      }
      case "return": {
        const value = this.#read(e.value, scope);
        scope.returns = union(scope.returns, value.length === 0 ? UNKNOWN : value);
        return value;
      }
      case "construct":
        this.#use(e.name, null, [], e.at, scope);
        return this.#read(e.inner, scope);
    }
  }

  /** One way of several: one of which nothing is known makes the whole unknown too. */
  #alternative(e: Expression, scope: Scope): Value {
    const value = this.#read(e, scope);
    if (e.kind === "instance") return value;
    return value.length === 0 ? UNKNOWN : value;
  }

  #function(e: Expression & { readonly kind: "function" }, scope: Scope): Value {
    const own = this.#scopeOf(e, scope, e.name ?? "");
    for (const { target, value } of e.parameters) {
      const given = value === null ? [] : this.#read(value, scope);
      // A default that is a constant is not what callers pass.
      this.#bind(target, [...callables(given), { is: "unknown" }], true, own);
    }
    this.#read(e.body, own);
    const self: Value = [{ is: "function", of: e }];
    if (e.name !== null) scope.add(e.name, self, true);
    return self;
  }

  #scopeOf(e: Expression, parent: Scope, name: string): Scope {
    let scope = this.#scopes.get(e);
    if (scope === undefined) {
      const path = name === "" ? parent.path : parent.path === FILE ? name : `${parent.path}.${name}`;
      scope = new Scope(parent, path.length > 200 ? parent.path : path);
      this.#scopes.set(e, scope);
    }
    return scope;
  }

  #named(name: string, scope: Scope): Value {
    const found = scope.lookup(name);
    if (found !== null) return found;
    // A variable that nothing here gave a value has one all the same.
    if (name.startsWith("$")) return [symbol(name), { is: "unknown" }];
    const plain = this.dialect.ignoreCase ? name.toLowerCase() : name;
    const value = [symbol(plain), ...this.#modules.map((module) => symbol(`${module}.${name}`))];
    return this.#fieldsOrNothing(name, value);
  }

  /** Ruby's and PHP's bare names may be what was put into a field. */
  #fieldsOrNothing(name: string, value: Value): Value {
    return name.startsWith("@") ? union(value, this.#fields.get(name) ?? []) : value;
  }

  /** What a name or a chain of members may be, nothing of it reported but the calls in it. */
  #quiet(e: Expression, scope: Scope): Value {
    if (e.kind === "name") return this.#named(e.name, scope);
    return e.kind === "member" ? this.#chain(e, scope) : this.#read(e, scope);
  }

  #chain(e: Expression & { readonly kind: "member" }, scope: Scope): Value {
    if (++this.#steps > MAX_STEPS) throw new TooMuch();
    const object = this.#quiet(e.object, scope);
    if (typeof e.name === "string") return this.#member(object, e.name, scope);
    return this.#memberOf(object, this.#read(e.name, scope), scope);
  }

  /** `object[name]` with what the name may be. */
  #memberOf(object: Value, names: Value, scope: Scope): Value {
    const found: Value[] = [];
    let open = names.length === 0;
    for (const name of names) {
      if (name.is === "text" && name.whole) found.push(this.#member(object, name.value, scope));
      else if (name.is === "literal") found.push(indexed(object, name.source));
      else open = true;
    }
    if (open) {
      const entries = object.length > 0 &&
        object.every((m) => m.is === "list" || (m.is === "record" && m.whole));
      const anything = object.some((m) => m.is === "symbol" && this.#holdsGlobals(m.name));
      found.push(entries ? elementOf(object) : [symbol(anything ? ANY_MODULE : COMPUTED)]);
    }
    return unionOf(found);
  }

  #holdsGlobals(name: string): boolean {
    return this.dialect.rules.globals.includes(name) ||
      ["globals()", "sys.modules", ANY_MODULE].includes(name);
  }

  #member(object: Value, name: string, scope: Scope): Value {
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
        if (m.name === "globals()" || m.name === "locals()" || m.name === "vars()") {
          found.push(...this.#named(name, scope));
        } else if (m.name === "sys.modules") found.push(symbol(name));
        else if (name === "__dict__") found.push(m);
        else if (m.name === COMPUTED && CALLERS[name] === undefined) {
          found.push(symbol(`?.${name}`), ...this.#fields.get(name) ?? []);
        } else {
          found.push(symbol(this.#canonical(`${m.name}.${name}`)));
          // Something made: it has what was put under the name, too.
          if (/[)\]]$/.test(m.name)) found.push(...this.#fields.get(name) ?? []);
        }
      } else if (m.is === "list" && /^\d+$/.test(name)) {
        found.push(...m.items[Number(name)] ?? []);
        known = true;
      }
    }
    const stored = this.#fields.get(name) ?? [];
    if (!known) found.push(symbol(`?.${name}`));
    return union(found, known ? [] : stored);
  }

  /** Members of what only holds the language's globals are those globals. */
  #canonical(name: string): string {
    for (const holder of this.dialect.rules.globals) {
      if (name.startsWith(`${holder}.`)) return this.#canonical(name.slice(holder.length + 1));
    }
    return name;
  }

  #record(e: Expression & { readonly kind: "record" }, scope: Scope): Value {
    const entries = new Map<string, Value>();
    let whole = true;
    for (const { key, value } of e.entries) {
      const given = this.#read(value, scope);
      const names = key === null ? [] : this.#read(key, scope);
      if (names.length === 0) whole = false;
      for (const name of names) {
        if (name.is !== "text" || !name.whole) {
          whole = false;
          continue;
        }
        entries.set(name.value, union(entries.get(name.value) ?? [], given.length === 0 ? UNKNOWN : given));
        this.#store(name.value, given);
        this.#setting(name.value, given, e.at, scope);
      }
    }
    return [{ is: "record", entries, whole, at: e.at.start }];
  }

  #store(name: string, value: Value): void {
    const kept = callables(value);
    if (kept.length > 0) this.#fields.set(name, union(this.#fields.get(name) ?? [], kept));
  }

  #bind(target: Expression, value: Value | null, declares: boolean, scope: Scope): void {
    switch (target.kind) {
      case "name":
        scope.add(target.name, value === null ? [] : value.length === 0 ? UNKNOWN : value, declares);
        if (target.name.startsWith("@") && value !== null) this.#store(target.name, value);
        if (value !== null) this.#setting(target.name, value, target.at, scope);
        return;
      case "member": {
        const name = typeof target.name === "string" ? [text(target.name)] : this.#read(target.name, scope);
        this.#mention(target, this.#chain(target, scope), scope);
        for (const m of name) {
          if (m.is !== "text" || value === null) continue;
          this.#store(m.value, value);
          this.#setting(m.value, value, target.at, scope);
        }
        return;
      }
      case "list":
        target.items.forEach((item, i) =>
          this.#bind(item, value === null ? null : indexed(value, String(i)), declares, scope)
        );
        return;
      case "record":
        for (const { key, value: to } of target.entries) {
          const names = key === null ? [] : this.#read(key, scope);
          if (value === null || names.length === 0) {
            this.#bind(to, value, declares, scope);
            continue;
          }
          this.#bind(to, this.#memberOf(value, names, scope), declares, scope);
        }
        return;
      case "bind":
        // A target with a default, as in `({ run = exec }) =>`.
        this.#bind(
          target.target,
          union(value ?? [], this.#read(target.value ?? target.target, scope)),
          declares,
          scope,
        );
        return;
      default:
        this.#read(target, scope);
    }
  }

  #call(e: Expression & { readonly kind: "call" }, scope: Scope): Value {
    const callee = this.#callee(e.callee, scope);
    const given: Given = this.#arguments(e.args, scope);
    const results: Value[] = [];
    let reported = false;
    for (const m of callee) {
      if (m.is === "symbol") {
        // What is called is the value of a variable, or of an item of one.
        const valued = m.name.startsWith("$") && this.dialect.textsAreCalled &&
          !(e.callee.kind === "member" && typeof e.callee.name === "string");
        const { used, result } = this.#callSymbol(valued ? COMPUTED : m.name, e, given, scope);
        reported ||= used;
        results.push(result);
      } else if (m.is === "function") {
        this.#passArguments(m.of, given);
        results.push(this.#scopes.get(m.of)?.returns ?? []);
      } else if (m.is === "text" && this.dialect.textsAreCalled && m.whole) {
        const own = scope.lookup(m.value) ?? [];
        if (own.some(({ is }) => is === "function")) continue;
        const { used, result } = this.#callSymbol(this.#calledName(m.value), e, given, scope);
        reported ||= used;
        results.push(result);
      } else if (this.dialect.textsAreCalled && (m.is === "unknown" || m.is === "text")) {
        reported = this.#use(COMPUTED, given, e.args, e.at, scope) || reported;
      }
    }
    if (e.callee.kind === "member") results.push(this.#stringCall(e.callee, given, scope));
    if (callee.length === 0 && this.dialect.textsAreCalled && e.callee.kind !== "member") {
      reported = this.#use(COMPUTED, given, e.args, e.at, scope) || reported;
    }
    // `process.env.X.trim()` is a use of process.env.X where no rule speaks of the call.
    if (!reported) this.#mention(e.callee, callee, scope, true);
    this.#bindCallbacks(e, given, scope);
    return unionOf(results);
  }

  #calledName(value: string): string {
    if (this.dialect.shell) return value.slice(value.lastIndexOf("/") + 1);
    const name = value.slice(value.lastIndexOf("\\") + 1);
    return this.dialect.ignoreCase ? name.toLowerCase() : name;
  }

  #callee(e: Expression, scope: Scope): Value {
    return this.#quiet(e, scope);
  }

  #callSymbol(
    name: string,
    e: Expression & { readonly kind: "call" },
    given: Given,
    scope: Scope,
  ): { readonly used: boolean; readonly result: Value } {
    let used = this.#use(name, given, e.args, e.at, scope);
    const dot = name.lastIndexOf(".");
    const caller = dot < 0 ? undefined : CALLERS[name.slice(dot + 1)];
    if (caller !== undefined) {
      const own = name.slice(0, dot);
      const rest = { ...given, positional: given.positional.slice(caller) };
      if (own !== "?") used = this.#use(own, rest, e.args, e.at, scope) || used;
      if (name.endsWith(".bind")) return { used, result: [symbol(own)] };
      return { used, result: [symbol(`${own}()`)] };
    }
    const made = intrinsic(name, given, {
      member: (object, names) => this.#memberOf(object, names, scope),
      called: (value) => {
        for (const m of value) {
          if (m.is === "text" && m.whole) {
            used = this.#use(this.#calledName(m.value), EMPTY, [], e.at, scope) || used;
          } else if (m.is === "symbol") used = this.#use(m.name, EMPTY, e.args, e.at, scope) || used;
          else if (m.is === "unknown" || m.is === "text") {
            used = this.#use(COMPUTED, EMPTY, [], e.at, scope) || used;
          }
        }
      },
      imported: (modules) => {
        for (const m of modules) if (m.is === "symbol") this.#imported(m.name, e.at, scope);
      },
      shell: this.dialect.shell,
      language: this.dialect,
    });
    if (made !== null) return { used, result: made };
    const texts = given.positional[0]?.flatMap((m) => {
      const value = m.is === "text" && m.whole ? decoded(name, m.value) : null;
      return value === null ? [] : [value];
    }) ?? [];
    const first = given.positional[0]?.[0];
    const numbers = given.positional.length === 1 && first?.is === "list"
      ? first.items.map((item) => item[0])
      : given.positional.map((value) => value[0]);
    const characters = numbers.every((m) => m?.is === "literal")
      ? fromNumbers(name, numbers.map((m) => m?.is === "literal" ? m.source : ""))
      : null;
    const constants = characters === null ? texts : [...texts, characters];
    for (const value of constants) this.#constant(value, e.at, scope);
    return {
      used,
      result: constants.length > 0 ? constants.map((value) => text(value)) : [symbol(`${name}()`)],
    };
  }

  /** Methods of constant strings, and `join` of lists of them. */
  #stringCall(callee: Expression & { readonly kind: "member" }, given: Given, scope: Scope): Value {
    if (typeof callee.name !== "string") return [];
    const method = callee.name;
    const object = this.#quiet(callee.object, scope);
    const args = given.positional.map((value) => {
      const [only] = value;
      if (value.length !== 1 || only === undefined) return null;
      return only.is === "text" && only.whole ? only.value : only.is === "literal" ? only.source : null;
    });
    const made: Meaning[] = [];
    for (const m of object) {
      if (m.is === "text" && m.whole) {
        const list = given.positional[0]?.[0];
        if (method === "join" && list?.is === "list") made.push(...joined(list.items, m.value));
        else if (method === "split" && (args[0] === "" || args.length === 0)) {
          const items = [...m.value].slice(0, MAX_TEXT).map((c): Value => [text(c)]);
          made.push({ is: "list", items, at: -1 - callee.at.start });
        } else {
          const filled = method === "__mod__" && list?.is === "list"
            ? list.items.map((item) => item[0]?.is === "text" ? item[0].value : null)
            : args;
          const value = stringMethod(m.value, method, filled);
          if (value !== null) {
            made.push(text(value));
            this.#constant(value.slice(0, MAX_TEXT), callee.at, scope);
          }
        }
      } else if (m.is === "list") {
        if (method === "join") made.push(...joined(m.items, args.length === 0 ? "," : args[0] ?? ""));
        if (method === "reverse" || method === "__reversed__") {
          made.push({ is: "list", items: [...m.items].reverse(), at: -1 - callee.at.start });
        }
      }
    }
    return made;
  }

  #arguments(args: readonly Argument[], scope: Scope): Given {
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    let spread = false;
    for (const { name, value, spread: many } of args) {
      const given = this.#read(value, scope);
      if (many) {
        const only = given.length === 1 ? given[0]! : null;
        if (only?.is === "list") positional.push(...only.items);
        else if (only?.is === "record" && only.whole) {
          for (const [key, v] of only.entries) named.set(key, v);
        } else spread = true;
      } else if (name === null) positional.push(given);
      else {
        named.set(name, given);
        this.#setting(name, given, value.at, scope);
      }
    }
    // An options object in the last place, as JavaScript has them.
    for (const m of positional.at(-1) ?? []) {
      if (m.is !== "record") continue;
      for (const [key, v] of m.entries) if (!named.has(key)) named.set(key, v);
      if (!m.whole) named.set("…", UNKNOWN);
    }
    return { positional, named, spread };
  }

  /** What is passed to a function of this file may be called there. */
  #passArguments(callee: Expression & { readonly kind: "function" }, given: Given): void {
    const own = this.#scopes.get(callee);
    if (own === undefined) return;
    given.positional.forEach((value, i) => {
      const target = callee.parameters[i]?.target;
      const kept = callables(value);
      if (target !== undefined && kept.length > 0) this.#bind(target, kept, true, own);
    });
  }

  /** `promise.then((m) => …)`, `list.forEach((f) => …)`: what the function gets is what the object holds. */
  #bindCallbacks(e: Expression & { readonly kind: "call" }, given: Given, scope: Scope): void {
    if (e.callee.kind !== "member" || typeof e.callee.name !== "string" || !isCallback(e.callee.name)) return;
    const object = this.#quiet(e.callee.object, scope);
    const passed = e.callee.name === "then" ? object : elementOf(object);
    for (const m of given.positional[0] ?? []) {
      if (m.is === "function") {
        this.#passArguments(m.of, { positional: [passed], named: new Map(), spread: false });
      }
    }
  }

  /** Reports a name or chain that is used without being called: the longest of its beginnings that a rule speaks of. */
  #mention(e: Expression, value: Value, scope: Scope, called = false): void {
    if (!this.#report || (e.kind !== "name" && e.kind !== "member")) return;
    let used = false;
    for (const m of value) {
      if (m.is === "symbol") {
        // What a call gave is known by the call.
        if (called || /[)\]]$/.test(m.name)) continue;
        used = this.#use(m.name, null, [], e.at, scope) || used;
      }
    }
    if (used || e.kind !== "member") return;
    this.#mention(e.object, this.#quiet(e.object, scope), scope);
  }

  /** Reports a use of a symbol when a rule speaks of it. */
  #use(name: string, given: Given | null, _args: readonly Argument[], at: SyntaxNode, scope: Scope): boolean {
    if (!this.#report) return false;
    let used = false;
    const called = isComputed(name) ? COMPUTED : this.#canonical(name);
    // Of something unknown only the last member says anything.
    const shown = called.startsWith("?.") ? `?.${called.slice(called.lastIndexOf(".") + 1)}` : called;
    for (const rule of this.dialect.rules.symbolRules(called, given !== null)) {
      if (given !== null && !holds(rule, given)) continue;
      this.#add({ rule, symbol: shown, shape: shapeOf(rule, given), function: scope.path, at });
      used = true;
    }
    return used;
  }

  #imported(module: string, at: SyntaxNode, scope: Scope): void {
    if (!this.#report) return;
    for (const rule of this.dialect.rules.importRules(module)) {
      this.#add({ rule, symbol: `import ${module}`, shape: MENTIONED, function: scope.path, at });
    }
  }

  #constant(value: string, at: SyntaxNode, scope: Scope): void {
    if (!this.#report || !this.dialect.rules.readsTexts || value.length < 2) return;
    for (const rule of this.dialect.rules.textRules(value.slice(0, MAX_TEXT))) {
      const shape = { positional: [argumentShape([text(value)])], options: [] };
      this.#add({ rule, symbol: "text", shape, function: scope.path, at });
    }
  }

  #setting(name: string, value: Value, at: SyntaxNode, scope: Scope): void {
    if (!this.#report) return;
    for (const { rule, values } of this.dialect.rules.settingRules(name)) {
      const shape = argumentShape(value);
      const parts = shape === ANYTHING
        ? [ANYTHING]
        : shape.split(" | ").map((part) => part.replace(/^"(.*)"$/, "$1"));
      if (!values.includes("*") && !parts.some((part) => values.includes(part))) continue;
      this.#add({
        rule,
        symbol: name,
        shape: { positional: [shape], options: [] },
        function: scope.path,
        at,
      });
    }
  }

  #add(use: Use): void {
    if (this.uses.length >= MAX_USES) throw new TooMuch();
    this.uses.push(use);
  }
}

const EMPTY: Given = { positional: [], named: new Map(), spread: true };

/** What can be called, or have members that can. */
function callables(value: Value): Value {
  return value.filter((m) =>
    m.is === "symbol" || m.is === "function" || (m.is === "list" && m.items.some((i) =>
      i.some(isCallable)
    )) ||
    (m.is === "record" && [...m.entries.values()].some((v) => v.some(isCallable)))
  );
}

function isCallable(m: Meaning): boolean {
  return m.is === "symbol" || m.is === "function";
}

function indexed(object: Value, index: string): Value {
  return unionOf(object.map((m): Value => {
    if (m.is === "list") return m.items[Number(index)] ?? [];
    if (m.is === "symbol") return [symbol(`${m.name}[]`)];
    return m.is === "record" ? m.entries.get(index) ?? [] : [];
  }));
}

function joined(items: readonly Value[], by: string): Value {
  const parts = items.slice(0, MAX_TEXT).flatMap((item, i): Value[] => i === 0 ? [item] : [[text(by)], item]);
  return concatenated(parts);
}

/** Whether the conditions of a rule hold for a call; what cannot be known holds. */
function holds(rule: Rule, given: Given): boolean {
  const { when, unless } = rule.config;
  if (when !== undefined) {
    const value = argumentOf(given, when);
    if (value === undefined) {
      if (!when.absent && !given.spread) return false;
    } else {
      const constants = constantsOf(value);
      if (when.computed && constants !== null) return false;
      if (when.constant && constants === null) return false;
      if (when.text !== undefined && constants !== null) {
        const test = new RegExp(when.text, "u");
        if (!constants.some((constant) => test.test(constant))) return false;
      }
    }
  }
  if (unless === undefined) return true;
  const value = argumentOf(given, unless);
  if (value === undefined || value.length === 0) return true;
  if (unless.text !== undefined) {
    const constants = constantsOf(value);
    const test = new RegExp(unless.text, "u");
    if (constants !== null && constants.length > 0 && constants.every((constant) => test.test(constant))) {
      return false;
    }
  }
  return !value.every((m) => m.is === "symbol" && unless.symbols.includes(m.name));
}

function argumentOf(
  given: Given,
  { name, position }: { readonly name?: string | undefined; readonly position?: number | undefined },
): Value | undefined {
  const named = name === undefined ? undefined : given.named.get(name);
  return named ?? (position === undefined ? undefined : given.positional[position]);
}

/** Every constant that a value may be; null when it may be something else. */
function constantsOf(value: Value): string[] | null {
  const constants = value.map((m) =>
    m.is === "text" && m.whole ? m.value : m.is === "literal" ? m.source : null
  );
  return value.length === 0 || constants.includes(null) ? null : constants as string[];
}

function shapeOf(rule: Rule, given: Given | null): Shape {
  if (given === null) return MENTIONED;
  const positional = given.positional.slice(0, MAX_POSITIONAL).map((value) => argumentShape(value));
  if (given.spread || given.positional.length > MAX_POSITIONAL) positional.push(ANYTHING);
  const options = rule.config.options
    .flatMap((name): [string, string][] => {
      const value = given.named.get(name);
      return value === undefined ? [] : [[name, argumentShape(value)]];
    })
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  return { positional, options };
}
