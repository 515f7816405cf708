/** A grammar and the node types of it that matter to us. */
export interface Language {
  readonly id: string;
  /** File in the grammar package, `tree-sitter-<grammar>.wasm`. */
  readonly grammar: string;
  /** Named functions, methods, classes and their like. */
  readonly containers: readonly string[];
  /** Anonymous functions and blocks; worth showing only when they span several lines. */
  readonly anonymous: readonly string[];
  /** Parents that belong to the definition they hold: decorators, `export`, `template<…>`. */
  readonly wrappers: readonly string[];
}

const ECMASCRIPT = {
  containers: [
    "function_declaration",
    "generator_function_declaration",
    "method_definition",
    "class_declaration",
    "abstract_class_declaration",
    "interface_declaration",
    "class",
  ],
  anonymous: ["arrow_function", "function_expression", "generator_function", "function"],
  wrappers: ["export_statement"],
};

const C_FAMILY = {
  grammar: "cpp",
  containers: ["function_definition", "class_specifier", "struct_specifier", "template_declaration"],
  anonymous: ["lambda_expression"],
  wrappers: ["template_declaration"],
};

const LANGUAGES: readonly Language[] = [
  {
    id: "python",
    grammar: "python",
    containers: ["function_definition", "class_definition", "decorated_definition"],
    anonymous: [],
    wrappers: ["decorated_definition"],
  },
  { id: "javascript", grammar: "javascript", ...ECMASCRIPT },
  { id: "typescript", grammar: "typescript", ...ECMASCRIPT },
  { id: "tsx", grammar: "tsx", ...ECMASCRIPT },
  {
    id: "go",
    grammar: "go",
    containers: ["function_declaration", "method_declaration", "type_declaration"],
    anonymous: ["func_literal"],
    wrappers: [],
  },
  {
    id: "rust",
    grammar: "rust",
    containers: ["function_item", "impl_item", "trait_item", "struct_item", "enum_item", "macro_definition"],
    anonymous: ["closure_expression"],
    wrappers: [],
  },
  {
    id: "java",
    grammar: "java",
    containers: [
      "method_declaration",
      "constructor_declaration",
      "class_declaration",
      "interface_declaration",
      "enum_declaration",
      "record_declaration",
    ],
    anonymous: ["lambda_expression"],
    wrappers: [],
  },
  { id: "c", ...C_FAMILY },
  { id: "cpp", ...C_FAMILY },
  { id: "bash", grammar: "bash", containers: ["function_definition"], anonymous: [], wrappers: [] },
  {
    id: "ruby",
    grammar: "ruby",
    containers: ["method", "singleton_method", "class", "module"],
    anonymous: ["do_block", "block"],
    wrappers: [],
  },
  {
    id: "csharp",
    grammar: "c-sharp",
    containers: [
      "method_declaration",
      "constructor_declaration",
      "local_function_statement",
      "class_declaration",
      "struct_declaration",
      "interface_declaration",
      "record_declaration",
    ],
    anonymous: ["lambda_expression", "anonymous_method_expression"],
    wrappers: [],
  },
  {
    id: "php",
    grammar: "php",
    containers: [
      "function_definition",
      "method_declaration",
      "class_declaration",
      "interface_declaration",
      "trait_declaration",
    ],
    anonymous: ["anonymous_function", "anonymous_function_creation_expression", "arrow_function"],
    wrappers: [],
  },
  {
    id: "powershell",
    grammar: "powershell",
    containers: ["function_statement", "class_statement"],
    anonymous: [],
    wrappers: [],
  },
  { id: "css", grammar: "css", containers: [], anonymous: [], wrappers: [] },
];

const EXTENSIONS: Readonly<Record<string, readonly string[]>> = {
  python: ["py", "pyi", "pyw"],
  javascript: ["js", "mjs", "cjs", "jsx"],
  typescript: ["ts", "mts", "cts"],
  tsx: ["tsx"],
  go: ["go"],
  rust: ["rs"],
  java: ["java"],
  c: ["c"],
  cpp: ["h", "cc", "cpp", "cxx", "c++", "hh", "hpp", "hxx"],
  bash: ["sh", "bash"],
  ruby: ["rb", "rake", "gemspec"],
  csharp: ["cs"],
  php: ["php"],
  powershell: ["ps1", "psm1"],
  css: ["css"],
};

const INTERPRETERS: Readonly<Record<string, string>> = {
  python: "python",
  python3: "python",
  sh: "bash",
  bash: "bash",
  dash: "bash",
  node: "javascript",
  ruby: "ruby",
  php: "php",
};

const BY_ID = new Map(LANGUAGES.map((language) => [language.id, language]));
const BY_EXTENSION = new Map(
  Object.entries(EXTENSIONS).flatMap(([id, list]) => list.map((extension) => [extension, BY_ID.get(id)!])),
);

/**
 * The language of a file by its extension, or by its `#!` line when it has no extension.
 * @returns null when there is no grammar for it
 */
export function languageOf(path: string, bytes: Uint8Array): Language | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  if (dot > 0) return BY_EXTENSION.get(name.slice(dot + 1).toLowerCase()) ?? null;
  if (bytes[0] !== 0x23 || bytes[1] !== 0x21) return null;
  const end = bytes.subarray(0, 256).indexOf(0x0a);
  const line = new TextDecoder().decode(bytes.subarray(2, end < 0 ? 256 : end));
  const words = line.trim().split(/\s+/).map((word) => word.slice(word.lastIndexOf("/") + 1));
  const program = words[0] === "env" ? words.find((word, i) => i > 0 && !word.startsWith("-")) : words[0];
  return BY_ID.get(INTERPRETERS[program ?? ""] ?? "") ?? null;
}
