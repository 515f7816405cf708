import assert from "node:assert/strict";
import { providerName } from "../../src/propose/select.ts";
import { stubProposer } from "../../src/propose/stub.ts";
import { failureOf, NEVER, request } from "./requests.ts";

Deno.test("providerName: flag, then patch files, then PP_PROVIDER, then stub", () => {
  const env = { PP_PROVIDER: "local" };
  assert.equal(providerName("openai", false, env), "openai");
  assert.equal(providerName("patch", true, env), "patch");
  assert.equal(providerName(undefined, true, env), "patch");
  assert.equal(providerName(undefined, false, env), "local");
  assert.equal(providerName(undefined, false, { PP_PROVIDER: " " }), "stub");
  assert.equal(providerName(undefined, false, {}), "stub");
});

Deno.test("providerName: unknown names list the known ones; contradictions are told", async () => {
  const flag = await failureOf(() => providerName("gpt", false, {}), "usage", "provider_unknown");
  assert.match(flag.message, /--provider/);
  assert.match(flag.hint!, /stub, patch, command, openai, local/);
  const variable = await failureOf(
    () => providerName(undefined, false, { PP_PROVIDER: "x" }),
    "usage",
    "provider_unknown",
  );
  assert.match(variable.message, /PP_PROVIDER/);
  await failureOf(() => providerName("openai", true, {}), "usage", "provider_conflict");
  await failureOf(() => providerName("patch", false, {}), "usage", "patch_missing");
});

Deno.test("stubProposer: proposes nothing and tells how to choose a provider", async () => {
  const answer = await stubProposer().propose(request(), NEVER);
  assert.ok(answer.kind === "none");
  assert.match(answer.reason, /--provider/);
});
