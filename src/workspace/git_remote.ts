/**
 * A remote's address without credentials: no user or password (ssh keeps its user), no query, no fragment. What
 * cannot be taken apart safely becomes `[redacted]` after its scheme; null for text with control characters.
 */
export function withoutCredentials(remote: string): string | null {
  // deno-lint-ignore no-control-regex -- a remote with these is no address
  if (remote === "" || remote.length > 4_096 || /[\u0000-\u001f\u007f]/.test(remote)) return null;
  const url = /^((?:[a-z0-9+.-]+::)*)([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/i.exec(remote);
  if (url === null) return scpLike(remote);
  const [, helper = "", scheme = "", authority = "", path = ""] = url;
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  if (!/^(\[[0-9a-f:.%]+\]|[^:@[\]]*)(:\d*)?$/i.test(host)) return `${helper}${scheme}://[redacted]`;
  const user = authority.slice(0, Math.max(at, 0)).split(":")[0] ?? "";
  const keepsUser = /^(ssh|git\+ssh|ssh\+git)$/i.test(scheme) && user !== "" && !user.includes("@");
  return `${helper}${scheme}://${keepsUser ? `${user}@` : ""}${host}${path}`;
}

/** `user@host:path`, a local path, or a transport helper's own words. */
function scpLike(remote: string): string {
  const helper = /^[a-z0-9+.-]+::/i.exec(remote);
  if (helper !== null) return `${helper[0]}[redacted]`;
  const at = remote.indexOf("@");
  const colon = remote.indexOf(":");
  return colon >= 0 && colon < at && !remote.startsWith("/") ? "[redacted]" : remote;
}
