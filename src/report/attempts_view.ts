import { byteString } from "../patch/bytes.ts";
import type { ReadBundle } from "../bundle/read.ts";
import type { PatchStatsDocument, ProposedDocument } from "../bundle/schema.ts";
import { diffView } from "./diff_view.ts";
import { badge, code, digest, facts, type Markup, markup, plural, table, words } from "./html.ts";
import { runsView } from "./runs_view.ts";

/** Attempts that are shown; a policy allows a few. */
const MAX_ATTEMPTS = 50;
/** Characters of what a proposer wrote. */
const MAX_TEXT = 4_000;

/** Every attempt: where it came from, what became of it, why, and its patch. */
export function attemptsView(bundle: ReadBundle): Markup {
  const used = bundle.repro.attempts_used;
  if (used === 0) return markup`<p class="note">No proposal was tried.</p>`;
  const shown = Array.from({ length: Math.min(used, MAX_ATTEMPTS) }, (_, i) => attemptView(bundle, i + 1));
  const more = used - shown.length;
  return markup`${shown}${
    more > 0 ? markup`<p class="note">${plural(more, "more attempt")} in the bundle.</p>` : null
  }`;
}

function attemptView(bundle: ReadBundle, attempt: number): Markup {
  const at = `attempts/${attempt}`;
  const proposed = bundle.documents.get(`${at}/proposed.json`) as ProposedDocument;
  const stats = bundle.documents.get(`${at}/patch_stats.json`) as PatchStatsDocument | undefined;
  const patch = bundle.files.get(`${at}/applied.patch`);
  const { proposal, refusals, outcome } = proposed;
  const final = bundle.repro.final_attempt === attempt
    ? markup`
      <span class="badge good">the final patch came from here</span>
    `
    : null;
  const refused = refusals.length === 0 ? null : table(
    "Why it was refused",
    ["Reason", "Where", "Detail"],
    refusals.slice(0, 100).map(({ reason, path, detail }) => [
      code(reason),
      path === undefined ? "" : code(path),
      detail.slice(0, MAX_TEXT),
    ]),
  );
  const said = proposal === null
    ? null
    : markup`${quote("The proposer’s reasons", proposal.rationale)}${
      quote("Risks it named", proposal.risk_notes)
    }`;
  const size = stats === undefined
    ? null
    : markup`<span class="plus">+${stats.additions}</span> <span class="minus">−${stats.deletions}</span> in ${
      plural(stats.files, "file")
    }`;
  return markup`<article class="card" aria-labelledby="attempt-${attempt}">
<h3 id="attempt-${attempt}">Attempt ${attempt} ${badge(outcome)}${final}</h3>
${
    facts([
      [
        "From",
        proposal === null
          ? code(proposed.proposer)
          : markup`${code(proposed.proposer)} ${code(proposal.source)}`,
      ],
      ["Size", size],
      ["Confidence", proposal?.confidence ?? null],
      ["Read as", stats === undefined ? null : stats.notes.map(words).join(", ")],
      ["Result tree", stats === undefined ? null : digest(stats.result_tree)],
    ])
  }
${refused}${said}
${runsView(bundle, `${at}/verify`, "How it was verified")}
${
    patch === undefined
      ? null
      : markup`<details><summary>Its patch</summary>${
        diffView(byteString(patch), `${at}/applied.patch`)
      }</details>`
  }
</article>`;
}

function quote(title: string, text: string): Markup | null {
  if (text.trim() === "") return null;
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT).toWellFormed()} …` : text;
  return markup`
    <figure>
      <figcaption>${title}, in its own words and not checked</figcaption>
      <blockquote>${cut}</blockquote>
    </figure>
  `;
}
