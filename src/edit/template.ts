/** What a template asks for. */
export interface TemplateParameter {
  readonly name: string;
  readonly description: string;
  /** Null when it has to be given. */
  readonly default: string | null;
  /** A regular expression that the whole value matches. */
  readonly pattern: string;
}

/** An input, and exactly what the template makes of it. */
export interface TemplateExample {
  readonly file: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly before: string;
  /** Null when the template refuses, with `refusal` as the reason. */
  readonly after: string | null;
  readonly refusal: string | null;
}

/** A change that is asked for by name. Made by `parseTemplate`. */
export interface Template {
  readonly name: string;
  readonly languages: readonly string[];
  readonly description: string;
  readonly parameters: readonly TemplateParameter[];
  readonly examples: readonly TemplateExample[];
}
