/**
 * A proposer as a program: reads a proposal request from stdin and answers with the patch written for that attempt.
 * Usage: PP_PROVIDER=command PP_COMMAND="deno run --allow-read scripted_proposer.ts FOLDER" pp prove
 * where FOLDER holds 1.patch, 2.patch …
 */
const request = await new Response(Deno.stdin.readable).json();
const patch = await Deno.readTextFile(`${Deno.args[0]}/${request.attempt}.patch`).catch(() => null);
console.log(JSON.stringify(
  patch === null
    ? { none: `the script has no proposal number ${request.attempt}` }
    : { diff: patch, rationale: `proposal ${request.attempt} of the script`, risk_notes: "", confidence: 0.5 },
));
