import type { SyntaxNode } from "../syntax/tree.ts";
import type { Given } from "./intrinsics.ts";
import { holds, shapeOf } from "./rule_match.ts";
import type { LanguageRules, Rule } from "./rules.ts";
import type { Scope } from "./scope.ts";
import { ANYTHING, argumentShape, isComputed, MENTIONED, type Shape } from "./shape.ts";
import { MAX_TEXT } from "./strings.ts";
import { COMPUTED, text, type Value } from "./values.ts";

/** Something that a rule speaks of, at a place. */
export interface Use {
  readonly rule: Rule;
  readonly symbol: string;
  readonly shape: Shape;
  readonly function: string;
  readonly at: SyntaxNode;
}

/** More work, or more uses, than any file people write. */
export class TooMuch extends Error {}

const MAX_USES = 20_000;

/** Collects what rules speak of; nothing before `reporting` is set. */
export class Uses {
  readonly found: Use[] = [];
  reporting = false;

  constructor(private readonly rules: LanguageRules) {}

  /**
   * A symbol that is used.
   * @param given what it is called with; null where it is mentioned and not called
   * @returns whether a rule speaks of it
   */
  symbol(name: string, given: Given | null, at: SyntaxNode, scope: Scope): boolean {
    if (!this.reporting) return false;
    let used = false;
    const called = isComputed(name) ? COMPUTED : this.rules.canonical(name);
    // Of something unknown only the last member says anything.
    const shown = called.startsWith("?.") ? `?.${called.slice(called.lastIndexOf(".") + 1)}` : called;
    for (const rule of this.rules.symbolRules(called, given !== null)) {
      if (given !== null && !holds(rule, given)) continue;
      this.#add({ rule, symbol: shown, shape: shapeOf(rule, given), function: scope.path, at });
      used = true;
    }
    return used;
  }

  /** A module that is loaded. */
  module(module: string, at: SyntaxNode, scope: Scope): void {
    if (!this.reporting) return;
    for (const rule of this.rules.importRules(module)) {
      this.#add({ rule, symbol: `import ${module}`, shape: MENTIONED, function: scope.path, at });
    }
  }

  /** A constant string. */
  constant(value: string, at: SyntaxNode, scope: Scope): void {
    if (!this.reporting || !this.rules.readsTexts || value.length < 2) return;
    for (const rule of this.rules.textRules(value.slice(0, MAX_TEXT))) {
      const shape = { positional: [argumentShape([text(value)])], options: [] };
      this.#add({ rule, symbol: "text", shape, function: scope.path, at });
    }
  }

  /** A name that is given a value: a variable, a key, a named argument. */
  setting(name: string, value: Value, at: SyntaxNode, scope: Scope): void {
    if (!this.reporting) return;
    for (const { rule, values } of this.rules.settingRules(name)) {
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
    if (this.found.length >= MAX_USES) throw new TooMuch();
    this.found.push(use);
  }
}
