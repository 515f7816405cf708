import type { LanguageRules } from "./rules.ts";
import type { Scoping } from "./scope.ts";

/** How a language differs where names and calls are followed. */
export interface Dialect {
  readonly rules: LanguageRules;
  /** A string can stand where a function's name is expected. */
  readonly textsAreCalled: boolean;
  /** Upper and lower case of names that are called mean the same. */
  readonly ignoreCase: boolean;
  /** A name that is nothing known is a command, and so a symbol; its directory does not count. */
  readonly shell: boolean;
  readonly scoping: Scoping;
}
