/** A module under the name that rules use: `node:fs` is `fs`, `fs/promises` is `fs.promises`. */
export function moduleSymbol(specifier: string): string {
  return specifier.replace(/^node:/, "").replace(
    /^(fs|dns|timers|stream|readline)\/promises$/,
    "$1.promises",
  );
}
