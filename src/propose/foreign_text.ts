import { stripVTControlCharacters } from "node:util";
import { printable } from "../vocabulary/printable.ts";

/**
 * Text of a provider or program made fit for a message: terminal sequences removed, other control characters
 * escaped, at most about `max` characters, the rest cut with a mark.
 */
export function foreignText(text: string, max: number): string {
  const clean = printable(stripVTControlCharacters(text.slice(0, 2 * max)).replaceAll("\r", "")).trim();
  const cut = clean.length > max || text.length > 2 * max;
  return (clean.slice(0, max) + (cut ? " …" : "")).toWellFormed();
}

/** The same for the end of a text, which is where programs say why they failed. */
export function foreignTail(text: string, max: number): string {
  const clean = printable(stripVTControlCharacters(text.slice(-2 * max)).replaceAll("\r", "")).trim();
  const cut = clean.length > max || text.length > 2 * max;
  return ((cut ? "… " : "") + clean.slice(-max)).toWellFormed();
}

/** Replaces each secret of at least eight characters in `text` by `[secret]`. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets.filter((s) => s.length >= 8).sort((a, b) => b.length - a.length);
  return longestFirst.reduce((t, secret) => t.replaceAll(secret, "[secret]"), text);
}
