/**
 * `deno task engine`: a private engine with the examples image, kept until Ctrl-C. `pp` finds its socket by itself when no
 * other engine answers.
 */
import { ensureEngine } from "./engine.ts";
import { ensureExamplesImage, EXAMPLES_IMAGE } from "./image.ts";
import { reportSetUpNeeded, SetUpNeeded } from "./log.ts";
import { onSignal } from "./on_signal.ts";

try {
  const engine = await ensureEngine();
  onSignal(engine.stop);
  await ensureExamplesImage(engine);
  console.log(`\nThe engine answers at ${engine.host} and has the image ${EXAMPLES_IMAGE}.`);
  console.log("pp finds it by itself; other tools need: export DOCKER_HOST=" + engine.host);
  console.log("Ctrl-C ends it, unless another tool still uses it.");
  setInterval(() => {}, 60_000);
} catch (error) {
  if (error instanceof SetUpNeeded) Deno.exit(reportSetUpNeeded(error));
  throw error;
}
