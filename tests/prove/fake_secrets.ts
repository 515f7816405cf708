import assert from "node:assert/strict";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Letters and digits without pattern, the same ones for the same seed; no secret stands in a file. */
export function noise(length: number, seed = 1, alphabet = LETTERS): string {
  let state = seed * 2654435761 >>> 0;
  let text = "";
  while (text.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += alphabet[(state >>> 8) % alphabet.length];
  }
  return text;
}

export interface FakeKey {
  readonly begin: string;
  /** As a tool writes them: 64 characters each, the last one shorter. */
  readonly body: readonly string[];
  readonly end: string;
  readonly lines: readonly string[];
}

/** A private key in PEM, made at run time. */
export function fakeKey(bodyLines = 26, seed = 7, kind = ""): FakeKey {
  const body = [...("MII" + noise(64 * bodyLines - 43, seed)).match(/.{1,64}/g)!];
  const begin = ["-----", "BEGIN ", kind, "PRIVATE KEY-----"].join("");
  const end = ["-----", "END ", kind, "PRIVATE KEY-----"].join("");
  return { begin, body, end, lines: [begin, ...body, end] };
}

/** A token in the form of a well-known host, made at run time. */
export function fakeToken(seed = 3): string {
  return ["gh", "p_"].join("") + noise(36, seed);
}

/** Asserts that no nine characters in a row of any of the secrets stand in the text. */
export function assertNothingOf(secrets: readonly string[], text: string, where: string) {
  for (const secret of secrets) {
    for (let i = 0; i + 9 <= secret.length; i++) {
      const part = secret.slice(i, i + 9);
      const at = text.indexOf(part);
      assert.ok(at < 0, `${where}: ${JSON.stringify(text.slice(Math.max(0, at - 80), at + 80))}`);
    }
  }
}
