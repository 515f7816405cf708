import { calledOnConstants, madeOfConstants } from "./constant_calls.ts";
import type { Dialect } from "./dialect.ts";
import type { Argument, Expression, ExpressionOf } from "./expression.ts";
import { type Given, intrinsic, isCallback, WHOLE } from "./intrinsics.ts";
import { CALLERS, type Names } from "./names.ts";
import type { Scope } from "./scope.ts";
import { MAX_TEXT } from "./strings.ts";
import type { Uses } from "./uses.ts";
import { callables, COMPUTED, elementOf, symbol, text, unionOf, UNKNOWN, type Value } from "./values.ts";

const EMPTY: Given = { positional: [], named: new Map(), spread: true };

/** What following a call asks of whoever follows everything else. */
export interface Reading {
  read(e: Expression, scope: Scope): Value;
  /** What a name or a chain of members may be, nothing of it reported but the calls in it. */
  quiet(e: Expression, scope: Scope): Value;
  /** Reports what a member is taken of. */
  mentionObject(e: ExpressionOf<"member">, scope: Scope): void;
  bind(target: Expression, value: Value | null, declares: boolean, scope: Scope): void;
  /** The scope inside a function that was read already. */
  scopeIn(e: ExpressionOf<"function">): Scope | undefined;
}

/** Follows calls: what is passed on, and what they give. */
export class Calls {
  constructor(
    private readonly dialect: Dialect,
    private readonly names: Names,
    private readonly uses: Uses,
    private readonly reading: Reading,
  ) {}

  /** What a call gives; in the reporting round, what it uses is reported. */
  call(e: ExpressionOf<"call">, scope: Scope): Value {
    const callee = this.reading.quiet(e.callee, scope);
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
        results.push(this.reading.scopeIn(m.of)?.returns ?? []);
      } else if (m.is === "text" && this.dialect.textsAreCalled && m.whole) {
        const own = scope.lookup(m.value) ?? [];
        if (own.some(({ is }) => is === "function")) continue;
        const { used, result } = this.#callSymbol(this.#calledName(m.value), e, given, scope);
        reported ||= used;
        results.push(result);
      } else if (this.dialect.textsAreCalled && (m.is === "unknown" || m.is === "text")) {
        reported = this.uses.symbol(COMPUTED, given, e.at, scope) || reported;
      }
    }
    if (e.callee.kind === "member") results.push(this.#callMethod(e.callee, given, scope));
    if (callee.length === 0 && this.dialect.textsAreCalled && e.callee.kind !== "member") {
      reported = this.uses.symbol(COMPUTED, given, e.at, scope) || reported;
    }
    // `process.env.X.trim()` is a use of process.env.X where no rule speaks of the call.
    if (!reported && e.callee.kind === "member") this.reading.mentionObject(e.callee, scope);
    this.#bindCallbacks(e, given, scope);
    return unionOf(results);
  }

  #calledName(value: string): string {
    if (this.dialect.shell) return value.slice(value.lastIndexOf("/") + 1);
    const name = value.slice(value.lastIndexOf("\\") + 1);
    return this.dialect.ignoreCase ? name.toLowerCase() : name;
  }

  #callSymbol(
    name: string,
    e: ExpressionOf<"call">,
    given: Given,
    scope: Scope,
  ): { readonly used: boolean; readonly result: Value } {
    let used = this.uses.symbol(name, given, e.at, scope);
    const dot = name.lastIndexOf(".");
    const caller = dot < 0 ? undefined : CALLERS[name.slice(dot + 1)];
    if (caller !== undefined) {
      const own = name.slice(0, dot);
      const rest = { ...given, positional: given.positional.slice(caller) };
      if (own !== "?") used = this.uses.symbol(own, rest, e.at, scope) || used;
      if (name.endsWith(".bind")) return { used, result: [symbol(own)] };
      return { used, result: [symbol(`${own}()`)] };
    }
    const made = intrinsic(name, given, {
      member: (object, names) => this.names.memberOf(object, names, scope),
      called: (value) => {
        for (const m of value) {
          if (m.is === "text" && m.whole) {
            used = this.uses.symbol(this.#calledName(m.value), EMPTY, e.at, scope) || used;
          } else if (m.is === "symbol") used = this.uses.symbol(m.name, EMPTY, e.at, scope) || used;
          else if (m.is === "unknown" || m.is === "text") {
            used = this.uses.symbol(COMPUTED, EMPTY, e.at, scope) || used;
          }
        }
      },
      isHolder: (holder) => this.names.isHolder(holder),
      imported: (modules) => {
        for (const m of modules) if (m.is === "symbol") this.uses.module(m.name, e.at, scope);
      },
      shell: this.dialect.shell,
      language: this.dialect,
    });
    if (made !== null) return { used, result: made };
    const item = this.names.itemOf(name, given.positional[0] ?? [], scope);
    if (item.length > 0) return { used, result: [symbol(`${name}()`), ...item] };
    const constants = madeOfConstants(name, given);
    for (const value of constants) this.uses.constant(value, e.at, scope);
    return {
      used,
      result: constants.length > 0 ? constants.map((value) => text(value)) : [symbol(`${name}()`)],
    };
  }

  /** What a method of a constant string gives. */
  #callMethod(callee: ExpressionOf<"member">, given: Given, scope: Scope): Value {
    if (typeof callee.name !== "string") return [];
    const object = this.reading.quiet(callee.object, scope);
    const { result, constants } = calledOnConstants(object, callee.name, given, callee.at.start);
    for (const value of constants) this.uses.constant(value.slice(0, MAX_TEXT), callee.at, scope);
    return result;
  }

  #arguments(args: readonly Argument[], scope: Scope): Given {
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    let spread = false;
    for (const { name, value, spread: many } of args) {
      const given = this.reading.read(value, scope);
      if (many) {
        const only = given.length === 1 ? given[0]! : null;
        if (only?.is === "list") positional.push(...only.items);
        else if (only?.is === "record" && only.whole) {
          for (const [key, v] of only.entries) named.set(key, v);
        } else spread = true;
      } else if (name === null) positional.push(given);
      else {
        named.set(name, given);
        this.uses.setting(name, given, value.at, scope);
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
  #passArguments(callee: ExpressionOf<"function">, given: Given): void {
    const own = this.reading.scopeIn(callee);
    if (own === undefined) return;
    given.positional.forEach((value, i) => {
      const target = callee.parameters[i]?.target;
      const kept = callables(value);
      if (target !== undefined && kept.length > 0) this.reading.bind(target, kept, true, own);
    });
  }

  /** `promise.then((m) => …)`, `list.forEach((f) => …)`: what the function gets is what the object holds. */
  #bindCallbacks(e: ExpressionOf<"call">, given: Given, scope: Scope): void {
    if (e.callee.kind !== "member" || typeof e.callee.name !== "string" || !isCallback(e.callee.name)) return;
    const object = this.reading.quiet(e.callee.object, scope);
    const passed = WHOLE.has(e.callee.name) ? object : elementOf(object);
    for (const m of given.positional[0] ?? []) {
      if (m.is === "function") {
        this.#passArguments(m.of, { positional: [passed], named: new Map(), spread: false });
      }
    }
  }
}
