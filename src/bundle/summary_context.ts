import type { SandboxEnvironment } from "../sandbox/sandbox.ts";
import { code, humanBytes, plain, plural } from "./markdown.ts";
import type { NegativeControlRecord, SessionRecord } from "./record.ts";
import type { SummaryFacts } from "./summary_facts.ts";

/** Where it ran and what was really enforced. */
export function environment(record: SessionRecord): string {
  const { environment: e, git, manifest, final } = record;
  const seconds = (Date.parse(record.finishedAt) - Date.parse(record.startedAt)) / 1000;
  const source = record.policySource === null ? "built in" : plain(record.policySource);
  const branch = git.branch === null ? "" : ` on ${plain(git.branch)}`;
  const entries = plural(manifest.entries.length, "entry", "entries");
  const facts: [string, string | null][] = [
    [
      "Sandbox",
      `${plain(e.backend)}, ${plain(`${e.engine} ${e.engineVersion}`)} with ${plain(e.runtime)} on ${
        plain(e.platform)
      }`,
    ],
    ["Image", e.image === null ? null : `${code(e.image.name)}, ${code(e.image.id)}`],
    ["Enforced", enforced(e)],
    ["Base", `tree ${code(manifest.digest)}, ${entries}`],
    ["Result", final === null ? null : `tree ${code(final.resultTree)}${agreement(final.git)}`],
    ["Git", git.commit === null ? null : `${code(git.commit)}${branch}${git.dirty ? ", with changes" : ""}`],
    ["Policy", `${source}, digest ${code(record.policyDigest)}`],
    [
      "Session",
      `${plain(record.session)}, ${seconds.toFixed(1)} s, by veripatch ${plain(record.toolVersion)}`,
    ],
  ];
  const lines = facts.filter(([, value]) => value !== null).map(([name, value]) => `- ${name}: ${value}`);
  return `## Environment\n\n${lines.join("\n")}`;
}

function agreement(git: "agrees" | "no_git"): string {
  return git === "agrees" ? "; git applies the patch to the same effect" : "";
}

function enforced({ enforced }: SandboxEnvironment): string | null {
  const rows = enforced.filter((row) => row.by !== "none").map(({ limit, value, by }) => {
    const bytes = ["memory", "file_size", "disk"].includes(limit) && /^\d{1,15}$/.test(value);
    return `${limit.replaceAll("_", " ")} ${bytes ? humanBytes(Number(value)) : plain(value)} (${plain(by)})`;
  });
  return rows.length === 0 ? null : rows.join("; ");
}

/** A name of an image that is one word to any shell. */
const PLAIN_IMAGE = /^[a-z0-9][a-z0-9._\/:@-]*$/i;

/** How anyone runs it again. A bundle is signed when this is written, or later, or not at all. */
export function replaying(record: SessionRecord): string {
  const { final, git, manifest, session, embedded, environment: { image } } = record;
  if (final === null) return "";
  const base = embedded !== undefined
    ? "any folder (the base is in `workspace.tar`)"
    : git.commit === null
    ? `the workspace as it was (its tree digest is ${code(manifest.digest)})`
    : `the workspace at commit ${code(git.commit)}${
      git.diff.length > 0 ? " with `source_git.diff` applied" : ""
    }`;
  // A policy names the image; without one, the caller does.
  const named = record.policySource === null && image !== null && PLAIN_IMAGE.test(image.name)
    ? ` --image ${image.name}`
    : "";
  return "## Replay\n\nWithout an `attestation.json` beside this file the bundle is unsigned: whoever can write it can " +
    "change it. With one, `pp verify-attestation` says who signed it. To be sure, run it again in " +
    `${base}:\n\n\`\`\`sh\npp replay .pp-artifacts/${session}/proof_bundle${named}\n\`\`\``;
}

/** What a reader should know before trusting the above. */
export function notes({ record, repro }: SummaryFacts): string {
  const { environment: e, git, skipped, final } = record;
  const redactions = repro.redactions.reduce((sum, r) => sum + r.count, 0);
  const ignored = skipped.filter((s) => s.reason === "ignored").length;
  const unenforced = e.enforced.filter((row) => row.by === "none").map((row) =>
    row.limit.replaceAll("_", " ")
  );
  const lines = [
    final === null && "This bundle is unsigned: whoever can write it can change it.",
    final !== null && record.baseline.length === 1 &&
    "Few runs can miss a flaky target; `--repeat` looks closer.",
    record.confirmation.some((v) => v.outcome !== "passed") &&
    "A patch that had passed did not pass again when it was confirmed in a new copy.",
    record.negativeControl !== null && controlNote(record.negativeControl),
    record.policy.policy.network === "allow" &&
    "The network was allowed: what was fetched is not part of the record.",
    unenforced.length > 0 && `Not asked for and not enforced: ${unenforced.join(", ")}.`,
    e.backend === "fake" && "The sandbox was a simulation: nothing was really run.",
    (e.backend === "copy" || e.backend === "git_worktree") &&
    "It ran on the host's own programs and libraries, which no image id pins down.",
    git.dirty === true &&
    "The workspace had changes that were not committed; untracked files are only in the manifest.",
    skipped.length > 0 &&
    `Left out of the workspace: ${plural(skipped.length, "entry", "entries")}, ${
      ignored === skipped.length ? "by" : `${ignored} of them by`
    } ignore rules; \`workspace_manifest.json\` lists them.`,
    record.embedded !== undefined &&
    "The workspace's files are in `workspace.tar` as they were; nothing in it is redacted.",
    redactions > 0 && `${plural(redactions, "secret")} redacted in this bundle.`,
  ].filter((line) => line !== false);
  return lines.length === 0 ? "" : `## Notes\n\n${lines.map((line) => `- ${line}`).join("\n")}`;
}

function controlNote({ files, runs, outcome }: NegativeControlRecord): string {
  const what = `a failing test beside the patch (${files.map((file) => code(file.path)).join(", ")})`;
  if (outcome === "not_run") return `The negative control, ${what}, was not run.`;
  const result = {
    failed: "the targets failed, as they should",
    passed: "a target passed all the same: the runner does not notice failing tests",
    mixed: "a target passed now and then",
    timed_out: "a target did not come to an end of its own",
  }[outcome];
  return `Negative control: with ${what} ${result} (${plural(runs.length, "run")}).`;
}
