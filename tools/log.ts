/** Prints one step of a set-up, so that nothing happens unseen. */
export function step(text: string): void {
  console.error(`==> ${text}`);
}

/** What a developer tool could not do, with the commands that would do it; ends as exit 69. */
export class SetUpNeeded extends Error {
  constructor(message: string, readonly commands: readonly string[]) {
    super(message);
  }
}

/** Prints what is missing and how to get it. @returns the exit code 69 */
export function reportSetUpNeeded(need: SetUpNeeded): number {
  console.error(`\n${need.message}\nRun these commands (as root where they say sudo), then try again:\n`);
  for (const command of need.commands) console.error(`    ${command}`);
  console.error("");
  return 69;
}
