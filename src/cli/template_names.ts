/** The shipped files of policies/templates. */
export const TEMPLATE_FILES = [
  "add-argument.python",
  "add-argument.typescript",
  "add-field.python",
  "add-field.typescript",
  "add-import.python",
  "add-import.typescript",
  "wrap-call.python",
  "wrap-call.typescript",
] as const;

/** What the shipped templates are called. */
export const TEMPLATE_NAMES: readonly string[] = [
  ...new Set(TEMPLATE_FILES.map((file) => file.slice(0, file.indexOf(".")))),
];
