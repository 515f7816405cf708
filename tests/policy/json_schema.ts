/** A JSON Schema, as far as ours goes. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Judges a value by the JSON Schema words that the policy's schema uses, for tests.
 * @throws Error on a word it does not know, so that no part of a schema is passed over
 */
export function satisfies(schema: JsonSchema, value: unknown): boolean {
  return Object.entries(schema).every(([word, rule]) => satisfiesWord(schema, word, rule, value));
}

const NOTES = new Set(["$schema", "title", "description", "default"]);

function satisfiesWord(schema: JsonSchema, word: string, rule: unknown, value: unknown): boolean {
  if (NOTES.has(word)) return true;
  const kind: string = typeof value;
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const record = value as Record<string, unknown>;
  switch (word) {
    case "type":
      return rule === "object"
        ? isObject
        : rule === "array"
        ? Array.isArray(value)
        : rule === "integer"
        ? Number.isInteger(value)
        : rule === "null"
        ? value === null
        : kind === rule;
    case "properties":
      return !isObject ||
        Object.entries(rule as Record<string, JsonSchema>).every(([key, property]) =>
          !Object.hasOwn(record, key) || satisfies(property, record[key])
        );
    case "additionalProperties":
      if (rule !== false) throw new Error("additionalProperties other than false");
      return !isObject ||
        Object.keys(record).every((key) => Object.hasOwn(schema.properties as JsonSchema, key));
    case "required":
      return !isObject || (rule as string[]).every((key) => Object.hasOwn(record, key));
    case "items":
      return !Array.isArray(value) || value.every((item) => satisfies(rule as JsonSchema, item));
    case "anyOf":
      return (rule as JsonSchema[]).some((option) => satisfies(option, value));
    case "oneOf":
      return (rule as JsonSchema[]).filter((option) => satisfies(option, value)).length === 1;
    case "enum":
      return (rule as unknown[]).includes(value);
    case "minimum":
      return typeof value !== "number" || value >= (rule as number);
    case "maximum":
      return typeof value !== "number" || value <= (rule as number);
    case "minLength":
      return typeof value !== "string" || value.length >= (rule as number);
    case "maxLength":
      return typeof value !== "string" || value.length <= (rule as number);
    case "minItems":
      return !Array.isArray(value) || value.length >= (rule as number);
    case "maxItems":
      return !Array.isArray(value) || value.length <= (rule as number);
    case "pattern":
      return typeof value !== "string" || new RegExp(rule as string, "u").test(value);
    default:
      throw new Error(`unknown JSON Schema word ${word}`);
  }
}
