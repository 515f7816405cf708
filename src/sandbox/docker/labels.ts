/** Labels of everything made; by them orphans are found. */
export const SESSION_LABEL = "veripatch.session";
export const OWNER_LABEL = "veripatch.owner";
/** Epoch milliseconds. */
export const DEADLINE_LABEL = "veripatch.deadline";
/** One opened base; a session may open several. */
export const BASE_LABEL = "veripatch.base";

/** A container with this name was kept on purpose and is left alone. */
const KEPT = "veripatch-kept-";

export function keptName(session: string, id: string): string {
  return `${KEPT}${session.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, 80)}-${id.slice(0, 8)}`;
}

/** @param name as the engine lists it, with a leading slash */
export function isKeptName(name: string): boolean {
  return name.replace(/^\//, "").startsWith(KEPT);
}
