import { Failure } from "../vocabulary/failure.ts";
import { printableLine } from "../vocabulary/printable.ts";

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** Milliseconds of a time such as `90s`, `30m`, `12h`, `30d` or `2w`; null for what is none. */
export function durationOf(text: string): number | null {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  return match === null ? null : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

/** Milliseconds that a flag says. @throws Failure `duration_malformed` (usage) */
export function durationMs(flag: string, text: string): number {
  const ms = durationOf(text);
  if (ms !== null) return ms;
  throw new Failure("usage", "duration_malformed", `${flag} takes a time such as 90s, 30m, 12h, 7d or 2w`);
}

/** The time that lies as far back as `--older-than` says. @throws Failure `age_malformed` (usage) */
export function olderThan(text: string, now: Date): Date {
  const ms = durationOf(text);
  if (ms !== null) return new Date(now.getTime() - ms);
  throw new Failure(
    "usage",
    "age_malformed",
    `--older-than takes a time such as 90s, 30m, 12h, 30d or 2w, not ${printableLine(text.slice(0, 40))}`,
  );
}

/** Until when backups are kept: `--keep-backups 90d`, or `forever`. @throws Failure `age_malformed` (usage) */
export function backupsUntil(text: string, now: Date): string | null {
  if (text === "forever") return null;
  const ms = durationOf(text);
  if (ms !== null && ms > 0) return new Date(now.getTime() + ms).toISOString();
  throw new Failure(
    "usage",
    "age_malformed",
    `--keep-backups takes a time such as 12h, 90d or 26w, or forever, not ${
      printableLine(text.slice(0, 40))
    }`,
  );
}

export const KEEP_BACKUPS = "90d";
