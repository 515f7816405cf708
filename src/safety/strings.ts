/** Longest string that is followed, in characters. */
export const MAX_TEXT = 4_096;

/**
 * What a method of a constant string gives, in the languages where code is hidden that way: joining, reversing,
 * replacing, changing case, decoding. Source: the string methods of Python, JavaScript, Ruby, Java, C# and PHP.
 * @returns null when it is not one of them, or its arguments are not what it takes
 */
export function stringMethod(value: string, method: string, args: readonly (string | null)[]): string | null {
  const [a, b] = args;
  switch (method) {
    case "toString":
    case "strip":
    case "trim":
    case "decode":
    case "encode":
    case "normalize":
    case "to_sym":
    case "to_s":
    case "into":
    case "to_string":
      return method === "strip" || method === "trim" ? value.trim() : value;
    case "concat":
      return args.every((x) => typeof x === "string") ? value + args.join("") : null;
    case "lower":
    case "toLowerCase":
    case "ToLower":
    case "downcase":
    case "casefold":
      return value.toLowerCase();
    case "upper":
    case "toUpperCase":
    case "ToUpper":
    case "upcase":
      return value.toUpperCase();
    case "swapcase":
      return [...value].map((c) => c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()).join("");
    case "reverse":
    case "__reversed__":
      return [...value].reverse().join("");
    case "replace":
    case "replaceAll":
    case "Replace":
    case "gsub":
      return typeof a === "string" && typeof b === "string" && a !== "" ? value.replaceAll(a, b) : null;
    case "__mod__":
      return args.every((x) => typeof x === "string") ? fill(value, /%[sr]/g, args as string[]) : null;
    case "format":
      return args.every((x) => typeof x === "string") ? fill(value, /\{\d*\}/g, args as string[]) : null;
    default:
      return null;
  }
}

function fill(value: string, holes: RegExp, args: readonly string[]): string {
  let next = 0;
  return value.replace(holes, (hole) => {
    const index = /\d+/.exec(hole);
    return args[index === null ? next++ : Number(index[0])] ?? "";
  });
}

/** Functions of the standard libraries that make text of constants, by symbol. */
const DECODERS: Readonly<Record<string, (text: string) => string | null>> = {
  atob: base64,
  "base64.b64decode": base64,
  "base64.urlsafe_b64decode": base64,
  "base64.standard_b64decode": base64,
  "base64.decodebytes": base64,
  "base64.b16decode": hex,
  "binascii.a2b_base64": base64,
  "binascii.unhexlify": hex,
  "binascii.a2b_hex": hex,
  "bytes.fromhex": hex,
  "bytearray.fromhex": hex,
  "Base64.decode64": base64,
  "Base64.strict_decode64": base64,
  base64_decode: base64,
  hex2bin: hex,
  strrev: (text) => [...text].reverse().join(""),
  str_rot13: rot13,
  strtolower: (text) => text.toLowerCase(),
  unescape: percent,
  decodeURIComponent: percent,
  decodeURI: percent,
  "urllib.parse.unquote": percent,
  urldecode: percent,
  str: (text) => text,
  String: (text) => text,
  bytes: (text) => text,
  "sys.intern": (text) => text,
};

/** What a known function makes of a constant; null for any other function. */
export function decoded(symbol: string, text: string): string | null {
  const decoder = Object.hasOwn(DECODERS, symbol) ? DECODERS[symbol]! : null;
  return decoder === null || text.length > MAX_TEXT ? null : decoder(text);
}

/** Functions that turn numbers into characters. */
const FROM_NUMBERS = new Set([
  "chr",
  "unichr",
  "String.fromCharCode",
  "String.fromCodePoint",
  "bytes",
  "bytearray",
]);

/** What a function makes of constant numbers, such as `chr(101)`; null for any other. */
export function fromNumbers(symbol: string, sources: readonly string[]): string | null {
  if (!FROM_NUMBERS.has(symbol) || sources.length === 0 || sources.length > MAX_TEXT) return null;
  const codes = sources.map((source) => Number(source.replaceAll("_", "")));
  if (!codes.every((code) => Number.isInteger(code) && code >= 0 && code <= 0x10ffff)) return null;
  return String.fromCodePoint(...codes);
}

function base64(text: string): string | null {
  try {
    const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
  } catch {
    return null;
  }
}

function hex(text: string): string | null {
  const digits = text.replace(/\s/g, "");
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(digits)) return null;
  const bytes = Uint8Array.from(digits.match(/../g)!, (pair) => parseInt(pair, 16));
  return new TextDecoder().decode(bytes);
}

function percent(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function rot13(text: string): string {
  return text.replace(/[a-z]/gi, (c) => {
    const base = c <= "Z" ? 65 : 97;
    return String.fromCharCode((c.charCodeAt(0) - base + 13) % 26 + base);
  });
}
