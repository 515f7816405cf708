import { union, type Value } from "./values.ts";

/** Names of one function, or of the file. All assignments to a name count, in whatever order they run. */
export class Scope {
  readonly #names = new Map<string, Value>();
  readonly #outer = new Set<string>();

  constructor(
    readonly parent: Scope | null,
    /** Such as `Class.method`; `<file>` for what belongs to none. */
    readonly path: string,
    /** Whether it is the body of a class. */
    readonly ofClass = false,
    /** What calling it may give. */
    public returns: Value = [],
  ) {}

  /** Says that a name belongs further out. */
  outside(name: string): void {
    this.#outer.add(name);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** What a name may be; null when nothing here or further out has it. */
  lookup(name: string): Value | null {
    return this.#names.get(name) ?? this.parent?.lookup(name) ?? null;
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
