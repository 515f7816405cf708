import { STAGED_PREFIX } from "./ignore.ts";

/**
 * The temporary name, of one change of an application, for what it becomes or for what it was. Who knows the changes
 * knows all names, also after the process that made them was killed.
 * @param staging of the application
 * @param index of the change
 */
export function stagedName(staging: string, index: number, side: "new" | "old"): string {
  return `${STAGED_PREFIX}${staging}-${index}.${side}`;
}
