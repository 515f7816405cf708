const FORM = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-[0-9a-f]{8}$/;

/**
 * A session id: `YYYYMMDDTHHMMSSZ-` and eight hex digits, so that names sort by time and sessions of one second differ.
 * @param random at least four bytes; the first four are used
 */
export function newSessionId(now: Date, random: Uint8Array): string {
  if (random.length < 4) throw new RangeError("a session id takes four random bytes");
  const time = now.toISOString().replace(/\.\d+Z$/, "Z").replaceAll(/[-:]/g, "");
  const hex = [...random.subarray(0, 4)].map((b) => b.toString(16).padStart(2, "0")).join("");
  return `${time}-${hex}`;
}

/** Whether text is a session id with a time that exists; safe as a file name if so. */
export function isSessionId(text: string): boolean {
  const match = FORM.exec(text);
  if (match === null) return false;
  const [, year, month, day, hour, minute, second] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = Date.parse(iso);
  return !Number.isNaN(time) && new Date(time).toISOString() === iso;
}
