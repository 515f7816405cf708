import { Calls, type Reading } from "./calls.ts";
import type { Dialect } from "./dialect.ts";
import type { Expression, ExpressionOf } from "./expression.ts";
import { Names } from "./names.ts";
import { Scope, type Scoping } from "./scope.ts";
import { TooMuch, type Use, Uses } from "./uses.ts";
import {
  callables,
  concatenated,
  elementOf,
  indexed,
  symbol,
  text,
  union,
  unionOf,
  UNKNOWN,
  type Value,
} from "./values.ts";

export interface Evaluation {
  readonly uses: readonly Use[];
  /** False when there was more work, or there were more uses, than in any file people write. */
  readonly ok: boolean;
}

const MAX_STEPS = 4_000_000;
const FILE = "<file>";

/**
 * Follows names through a source and finds what rules speak of. Two rounds learn what names may be, a third reports.
 * Pure and bounded: work grows with the source, and past a budget it ends.
 */
export function evaluate(source: Expression, dialect: Dialect): Evaluation {
  const uses = new Uses(dialect.rules);
  const reader = new Reader(dialect, uses);
  try {
    reader.round(source);
    reader.round(source);
    uses.reporting = true;
    reader.round(source);
    return { ok: true, uses: uses.found };
  } catch (error) {
    if (error instanceof TooMuch) return { ok: false, uses: uses.found };
    throw error;
  }
}

class Reader implements Reading {
  readonly #scopes = new Map<Expression, Scope>();
  readonly #scoping: Scoping;
  readonly #file: Scope;
  readonly #names: Names;
  readonly #calls: Calls;
  readonly #uses: Uses;
  /** What expressions came to in this round: chains are asked for more than once. */
  #known = new Map<Expression, Value>();
  #steps = 0;
  #perhaps = false;

  constructor(dialect: Dialect, uses: Uses) {
    this.#uses = uses;
    this.#scoping = dialect.scoping;
    this.#file = new Scope(null, FILE, this.#scoping);
    this.#names = new Names(dialect);
    this.#calls = new Calls(dialect, this.#names, uses, this);
  }

  round(source: Expression): void {
    this.#known = new Map();
    this.read(source, this.#file);
  }

  /** What an expression may be that becomes a value. */
  read(e: Expression, scope: Scope): Value {
    const value = this.#follow(e, scope);
    this.#names.handOn(value);
    return value;
  }

  #follow(e: Expression, scope: Scope): Value {
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
        const value = this.#names.named(e.name, scope);
        this.#mention(e, value, scope);
        return value;
      }
      case "text":
        this.#uses.constant(e.value, e.at, scope);
        return [text(e.value)];
      case "literal":
        return [{ is: "literal", source: e.source.slice(0, 80) }];
      case "concat": {
        const value = concatenated(e.parts.map((part) => this.read(part, scope)));
        for (const m of value) if (m.is === "text" && m.whole) this.#uses.constant(m.value, e.at, scope);
        return value;
      }
      case "member": {
        const value = this.#chain(e, scope);
        this.#mention(e, value, scope);
        return value;
      }
      case "call":
        return this.#calls.call(e, scope);
      case "list":
        return [{ is: "list", items: e.items.map((item) => this.read(item, scope)), at: e.at.start }];
      case "record":
        return this.#record(e, scope);
      case "either":
        for (const aside of e.aside ?? []) this.read(aside, scope);
        return unionOf(e.options.map((option) => this.#alternative(option, scope)));
      case "element":
        return elementOf(this.read(e.of, scope));
      case "instance":
        return this.quiet(e.type, scope).flatMap((m): Value =>
          m.is === "symbol" ? [symbol(`${m.name}()`)] : []
        );
      case "block": {
        let value: Value = [];
        for (const item of e.items) {
          value = e.items.length === 1 ? this.#follow(item, scope) : this.read(item, scope);
        }
        // The value of several things one after the other is not followed.
        return e.items.length === 1 ? value : [];
      }
      case "bind": {
        const followed = e.target.kind === "name" && !scope.ofClass;
        const value = e.value === null
          ? null
          : followed
          ? this.#follow(e.value, scope)
          : this.read(e.value, scope);
        this.bind(e.target, value, e.declares, scope);
        if (e.sure && !this.#perhaps) { for (const name of namesOf(e.target)) scope.sure(name); }
        return value ?? [];
      }
      case "import":
        if (e.local !== "") {
          const imported = [symbol(this.#names.canonical(e.symbol))];
          scope.add(e.local, imported, true);
          if (!this.#perhaps) scope.sure(e.local);
          if (scope.ofClass) this.#names.handOn(imported);
        }
        this.#uses.module(e.symbol, e.at, scope);
        return [];
      case "import_all":
        this.#names.allOf(e.module);
        this.#uses.module(e.module, e.at, scope);
        return [];
      case "outer":
        for (const name of e.names) scope.outside(name);
        return [];
      case "function":
        return this.#function(e, scope);
      case "class": {
        const own = this.#scopeOf(e, scope, e.name);
        this.#names.ownClass(e.name);
        this.#follow(e.body, own);
        return [];
      }
      case "perhaps": {
        const before = this.#perhaps;
        this.#perhaps = true;
        const value = this.#follow(e.inner, scope);
        this.#perhaps = before;
        return value;
      }
      case "return": {
        const value = this.read(e.value, scope);
        scope.returns = union(scope.returns, value.length === 0 ? UNKNOWN : value);
        return value;
      }
      case "construct":
        this.#uses.symbol(e.name, null, e.at, scope);
        return this.read(e.inner, scope);
    }
  }

  /** One way of several: one of which nothing is known makes the whole unknown too. */
  #alternative(e: Expression, scope: Scope): Value {
    const value = this.read(e, scope);
    if (e.kind === "instance") return value;
    return value.length === 0 ? UNKNOWN : value;
  }

  #function(e: ExpressionOf<"function">, scope: Scope): Value {
    const own = this.#scopeOf(e, scope, e.name ?? "");
    const perhaps = this.#perhaps;
    this.#perhaps = false;
    for (const { target, value } of e.parameters) {
      for (const name of namesOf(target)) own.sure(name);
      const given = value === null ? [] : this.read(value, scope);
      // A default that is a constant is not what callers pass.
      this.bind(target, [...callables(given), { is: "unknown" }], true, own);
    }
    this.read(e.body, own);
    this.#perhaps = perhaps;
    const self: Value = [{ is: "function", of: e }];
    if (e.name !== null) {
      scope.add(e.name, self, true);
      if (!perhaps || scope.parent !== null) scope.sure(e.name);
    }
    return self;
  }

  #scopeOf(e: Expression, parent: Scope, name: string): Scope {
    let scope = this.#scopes.get(e);
    if (scope === undefined) {
      const path = name === "" ? parent.path : parent.path === FILE ? name : `${parent.path}.${name}`;
      scope = new Scope(parent, path.length > 200 ? parent.path : path, this.#scoping, e.kind === "class");
      this.#scopes.set(e, scope);
    }
    return scope;
  }

  /** What a name or a chain of members may be, nothing of it reported but the calls in it. */
  quiet(e: Expression, scope: Scope): Value {
    if (e.kind === "name") return this.#names.named(e.name, scope);
    return e.kind === "member" ? this.#chain(e, scope) : this.#follow(e, scope);
  }

  #chain(e: ExpressionOf<"member">, scope: Scope): Value {
    if (++this.#steps > MAX_STEPS) throw new TooMuch();
    const object = this.quiet(e.object, scope);
    if (typeof e.name === "string") return this.#names.member(object, e.name, scope);
    return this.#names.memberOf(object, this.read(e.name, scope), scope);
  }

  #record(e: ExpressionOf<"record">, scope: Scope): Value {
    const entries = new Map<string, Value>();
    let whole = true;
    for (const { key, value } of e.entries) {
      const given = this.read(value, scope);
      const names = key === null ? [] : this.read(key, scope);
      if (names.length === 0) whole = false;
      for (const name of names) {
        if (name.is !== "text" || !name.whole) {
          whole = false;
          continue;
        }
        entries.set(name.value, union(entries.get(name.value) ?? [], given.length === 0 ? UNKNOWN : given));
        this.#names.store(name.value, given);
        this.#uses.setting(name.value, given, e.at, scope);
      }
    }
    return [{ is: "record", entries, whole, at: e.at.start }];
  }

  bind(target: Expression, value: Value | null, declares: boolean, scope: Scope): void {
    switch (target.kind) {
      case "name":
        scope.add(target.name, value === null ? [] : value.length === 0 ? UNKNOWN : value, declares);
        if (target.name.startsWith("@") && value !== null) this.#names.store(target.name, value);
        if (value !== null) this.#uses.setting(target.name, value, target.at, scope);
        return;
      case "member": {
        const name = typeof target.name === "string" ? [text(target.name)] : this.read(target.name, scope);
        this.#mention(target, this.#chain(target, scope), scope);
        const global = this.quiet(target.object, scope).some((m) =>
          m.is === "symbol" && this.#names.holdsGlobals(m.name)
        );
        for (const m of name) {
          if (m.is !== "text" || value === null) continue;
          this.#names.store(m.value, value);
          if (global) scope.add(m.value, value, false);
          this.#uses.setting(m.value, value, target.at, scope);
        }
        return;
      }
      case "list":
        target.items.forEach((item, i) =>
          this.bind(item, value === null ? null : indexed(value, String(i)), declares, scope)
        );
        return;
      case "record":
        for (const { key, value: to } of target.entries) {
          const names = key === null ? [] : this.read(key, scope);
          if (value === null || names.length === 0) {
            this.bind(to, value, declares, scope);
            continue;
          }
          this.bind(to, this.#names.memberOf(value, names, scope), declares, scope);
        }
        return;
      case "bind":
        // A target with a default, as in `({ run = exec }) =>`.
        this.bind(
          target.target,
          union(value ?? [], this.read(target.value ?? target.target, scope)),
          declares,
          scope,
        );
        return;
      default:
        this.read(target, scope);
    }
  }

  /** Reports a name or chain that is used without being called: the longest of its beginnings that a rule speaks of. */
  #mention(e: Expression, value: Value, scope: Scope): void {
    if (!this.#uses.reporting || (e.kind !== "name" && e.kind !== "member")) return;
    let used = false;
    for (const m of value) {
      // What a call gave is known by the call.
      if (m.is !== "symbol" || /[)\]]$/.test(m.name)) continue;
      used = this.#uses.symbol(m.name, null, e.at, scope) || used;
    }
    if (!used && e.kind === "member") this.mentionObject(e, scope);
  }

  mentionObject({ object }: ExpressionOf<"member">, scope: Scope): void {
    if (this.#uses.reporting) this.#mention(object, this.quiet(object, scope), scope);
  }

  scopeIn(e: ExpressionOf<"function">): Scope | undefined {
    return this.#scopes.get(e);
  }
}

/** The names that a parameter declares. */
function namesOf(target: Expression): string[] {
  switch (target.kind) {
    case "name":
      return [target.name];
    case "list":
      return target.items.flatMap(namesOf);
    case "record":
      return target.entries.flatMap(({ value }) => namesOf(value));
    case "bind":
      return namesOf(target.target);
    default:
      return [];
  }
}
