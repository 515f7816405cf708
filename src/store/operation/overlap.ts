/** Whether a folder is another one, or lies in it. Both absolute, without links. */
export function isWithin(folder: string, other: string): boolean {
  return folder === other || folder.startsWith(other.endsWith("/") ? other : `${other}/`);
}

/** Whether a change of one folder can be a change of another. */
export function overlap(a: string, b: string): boolean {
  return isWithin(a, b) || isWithin(b, a);
}
