const TAG_BYTES = 32;

/** `hmacVerify` by the runtime's Web Crypto. */
export async function hmacVerifyByRuntime(
  tag: Uint8Array,
  message: Uint8Array<ArrayBuffer>,
  secret: Uint8Array,
): Promise<boolean> {
  if (tag.length !== TAG_BYTES) return false;
  return sameTag(tag, await tagOf(message, secret));
}

/**
 * Whether two secrets are one by what they do: HMAC fills a short one up with zeros and hashes a long one, so that two
 * texts may be one key.
 */
export async function sameSecret(a: Uint8Array, b: Uint8Array): Promise<boolean> {
  const nothing = new Uint8Array();
  return sameTag(await tagOf(nothing, a), await tagOf(nothing, b));
}

/** HMAC-SHA-256 (RFC 2104). */
async function tagOf(message: Uint8Array<ArrayBuffer>, secret: Uint8Array): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", Uint8Array.from(secret), algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}

/** In constant time: every byte is looked at, whatever the ones before said. */
function sameTag(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < TAG_BYTES; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
