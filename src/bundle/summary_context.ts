import { code, plural, table } from "./markdown.ts";
import type { SessionRecord } from "./record.ts";
import type { SummaryFacts } from "./summary.ts";

/** Where it ran and what was really enforced. */
export function environment(record: SessionRecord): string {
  const { environment: e, git, manifest } = record;
  const facts: string[][] = [
    [
      "Sandbox",
      `${e.backend}, ${code(`${e.engine} ${e.engineVersion}`)}, ${code(e.platform)}, ${code(e.runtime)}`,
    ],
    ...(e.image === null ? [] : [["Image", `${code(e.image.name)} ${code(e.image.id)}`]]),
    ["Base tree", `\`${manifest.digest}\` (${plural(manifest.entries.length, "entry", "entries")})`],
    ...(record.final === null ? [] : [["Result tree", `\`${record.final.resultTree}\``]]),
    [
      "Policy",
      `\`${record.policyDigest}\` from ${
        record.policySource === null ? "no file" : code(record.policySource)
      }`,
    ],
    ...(git.commit === null
      ? []
      : [["Git", `${code(git.commit)}${git.branch === null ? "" : ` on ${code(git.branch)}`}`]]),
    [
      "Session",
      `${code(record.session)}, ${record.startedAt} to ${record.finishedAt}, veripatch ${
        code(record.toolVersion)
      }`,
    ],
  ];
  const enforced = e.enforced.map((
    { limit, value, by },
  ) => [limit.replaceAll("_", " "), code(value), code(by)]);
  return `## Environment\n\n${table(["Fact", "Value"], facts)}` +
    (enforced.length === 0 ? "" : `\n\n${table(["Enforced", "Value", "By"], enforced)}`);
}

/** How anyone runs it again. */
export function replaying({ final, git, manifest }: SessionRecord): string {
  if (final === null) return "";
  const base = git.commit === null
    ? `a checkout whose tree digest is \`${manifest.digest}\``
    : `a checkout of ${code(git.commit)}${git.dirty ? " with `source_git.diff` applied" : ""}`;
  return `## Replay\n\nWith ${base}:\n\n\`\`\`sh\npp replay path/to/proof_bundle --cwd path/to/checkout\n\`\`\``;
}

/** What a reader should know before trusting the above. */
export function notes({ record, repro }: SummaryFacts): string {
  const { environment: e, git, minimization, skipped } = record;
  const repeats = Math.min(record.baseline.length, Math.max(1, record.confirmation.length));
  const redactions = repro.redactions.reduce((sum, r) => sum + r.count, 0);
  const ignored = skipped.filter((s) => s.reason === "ignored").length;
  const unenforced = e.enforced.filter((row) => row.by === "none").map((row) =>
    row.limit.replaceAll("_", " ")
  );
  const lines = [
    "Not signed: whoever can write these files can change them. Replay it to be sure.",
    record.final !== null && repeats === 1 &&
    "Red and green were each verified once; a flaky target would not have been noticed. `--repeat` looks closer.",
    record.confirmation.some((v) => v.outcome !== "passed") &&
    "A patch that had passed did not pass again when it was confirmed in a new copy.",
    minimization !== null && !minimization.kept &&
    "The minimized patch was not confirmed and is not the final one.",
    record.policy.policy.network === "allow" &&
    "The network was allowed: what was fetched is not part of the record.",
    unenforced.length > 0 && `Not asked for and not enforced: ${unenforced.join(", ")}.`,
    e.backend === "fake" && "The sandbox was a simulation: nothing was really run.",
    (e.backend === "copy" || e.backend === "git_worktree") &&
    "It ran on the host's own programs and libraries, which no image id pins down.",
    git.dirty === true &&
    "The workspace had changes that were not committed; untracked files are only in the manifest.",
    skipped.length > 0 &&
    `${plural(skipped.length, "entry", "entries")} of the workspace left out (${ignored} by ignore rules); ` +
      "they are listed in `workspace_manifest.json`.",
    redactions > 0 && `${plural(redactions, "secret")} redacted in this bundle.`,
  ];
  return `## Notes\n\n${lines.filter((line) => line !== false).map((line) => `- ${line}`).join("\n")}`;
}
