import { union, type Value } from "./values.ts";

/** What a language's scopes are. */
export interface Scoping {
  /** Names belong to blocks: outside of its block a name is that of an outer scope again. */
  readonly blocks: boolean;
  /** Functions in a class see its names only as members. */
  readonly classesAreClosed: boolean;
}

/** Names of one function, or of the file. All assignments to a name count, in whatever order they run. */
export class Scope {
  readonly #names = new Map<string, Value>();
  readonly #outer = new Set<string>();
  readonly #sure = new Set<string>();

  constructor(
    readonly parent: Scope | null,
    /** Such as `Class.method`; `<file>` for what belongs to none. */
    readonly path: string,
    private readonly scoping: Scoping,
    /** Whether it is the body of a class. */
    readonly ofClass = false,
    /** What calling it may give. */
    public returns: Value = [],
  ) {}

  /** Says that a name belongs further out. */
  outside(name: string): void {
    this.#outer.add(name);
  }

  /** Says that a name is this scope's wherever it stands: a parameter, a function, an import. */
  sure(name: string): void {
    this.#sure.add(name);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** What a name may be; null when nothing here or further out has it. */
  lookup(name: string): Value | null {
    return this.#lookup(name, false);
  }

  #lookup(name: string, within: boolean): Value | null {
    const own = this.#isOpen(within) ? this.#names.get(name) : undefined;
    if (own !== undefined && (!this.scoping.blocks || this.#sure.has(name))) return own;
    const outer = this.parent === null ? null : this.parent.#lookup(name, true);
    if (own === undefined || outer === null) return own ?? outer;
    return union(own, outer.filter(({ is }) => is === "symbol"));
  }

  /** Whether a name is surely what this file says that it is. */
  isSure(name: string, within = false): boolean {
    if (this.#isOpen(within) && this.has(name)) return this.#sure.has(name);
    return this.parent !== null && this.parent.isSure(name, true);
  }

  #isOpen(within: boolean): boolean {
    return !(within && this.ofClass && this.scoping.classesAreClosed);
  }

  /** Adds to what a name may be. Without `declares`, it is the name of whichever scope has it, else of the file. */
  add(name: string, value: Value, declares: boolean): void {
    const scope = this.#owner(name, declares);
    scope.#names.set(name, union(scope.#names.get(name) ?? [], value));
  }

  #owner(name: string, declares: boolean): Scope {
    if (declares && !this.#outer.has(name)) return this;
    return declares && this.parent !== null ? this.parent.#nearest(name) : this.#nearest(name);
  }

  #nearest(name: string): Scope {
    return this.parent === null || this.has(name) ? this : this.parent.#nearest(name);
  }
}
