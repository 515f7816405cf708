const UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `512m`, `1.5g`, `1073741824`, `64KiB`: a number, then a unit of 1024s or none. */
export const SIZE_PATTERN = /^\d{1,15}(\.\d{1,6})?\s?([kKmMgGtT](i?[bB])?|[bB])?$/;

/** Bytes meant by a text that SIZE_PATTERN matches, whole; NaN for any other text. */
export function parseSize(text: string): number {
  if (!SIZE_PATTERN.test(text)) return NaN;
  const unit = /[a-z]/i.exec(text)?.[0].toLowerCase() ?? "";
  return Math.floor(parseFloat(text) * (UNITS[unit] ?? 1));
}

/** The shortest exact way to write a number of bytes in a policy. */
export function showSize(bytes: number): string {
  for (const unit of ["t", "g", "m", "k"]) {
    const size = UNITS[unit]!;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}
