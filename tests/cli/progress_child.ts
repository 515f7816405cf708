import { sessionProgress } from "../../src/cli/progress.ts";
import type { SessionEvent } from "../../src/vocabulary/session.ts";

/** Child of the progress tests: plays events on its stderr. */
const { quiet, events, say } = JSON.parse(Deno.args[0]!) as {
  readonly quiet: boolean;
  readonly events: readonly SessionEvent[];
  readonly say: string;
};
const progress = sessionProgress({ quiet });
for (const event of events) progress.emit(event);
progress.say(say);
progress.end();
progress.end();
