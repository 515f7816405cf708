import type { ReadBundle } from "../bundle/read.ts";
import type { Repro } from "../bundle/schema.ts";
import { parsePatch } from "../patch/parse.ts";
import { patchStats } from "../patch/stats.ts";
import { sha256 } from "../vocabulary/digest.ts";
import { comparePaths } from "../vocabulary/path.ts";
import { STATUS_TITLES } from "../vocabulary/session.ts";
import { attemptsView } from "./attempts_view.ts";
import { attestationView, type ReportVerification } from "./attestation_view.ts";
import { diffView } from "./diff_view.ts";
import {
  badge,
  bytes,
  code,
  digest,
  duration,
  facts,
  Markup,
  markup,
  plural,
  section,
  table,
  toneOf,
  words,
} from "./html.ts";
import { minimizationView } from "./minimization_view.ts";
import { runsLine, runsView } from "./runs_view.ts";
import { STYLE } from "./style.ts";
import { testsView } from "./tests_view.ts";
import { eventsOf, timeline } from "./timeline.ts";

/** Files, limits and the like that are listed. */
const MAX_LISTED = 1_000;

/**
 * A bundle as one page that needs nothing else: no script, no request, a policy that forbids both. The same bundle gives
 * the same page. Everything from the bundle is escaped and made printable.
 * @param verification what a verifier found; null when nobody verified the bundle for this page
 */
export function reportPage(bundle: ReadBundle, verification: ReportVerification | null = null): string {
  const { repro, finalPatch, minimization, tests } = bundle;
  const policy = `default-src 'none'; style-src 'sha256-${
    base64(sha256(STYLE))
  }'; base-uri 'none'; form-action 'none'`;
  const title = `${STATUS_TITLES[repro.status]}: ${repro.command.slice(0, 80).toWellFormed()}`;
  const sections: [id: string, title: string, body: Markup][] = [
    ...(finalPatch === null
      ? []
      : [["fix", "The fix", diffView(finalPatch, "final.patch")] as [string, string, Markup]]),
    ["evidence", "Before and after", evidence(bundle)],
    ...(tests === null ? [] : [["tests", "Tests", testsView(tests)] as [string, string, Markup]]),
    ["timeline", "Timeline", timeline(eventsOf(bundle.files.get("events.jsonl")!))],
    ["attempts", "Attempts", attemptsView(bundle)],
    ...(minimization === null
      ? []
      : [["minimization", "Minimization", minimizationView(minimization)] as [string, string, Markup]]),
    [
      "attestation",
      "Attestation",
      attestationView(bundle.files.get("attestation.json") ?? null, verification),
    ],
    ["environment", "Environment", environment(bundle)],
    ["files", "Files", files(bundle)],
  ];
  return markup`
    <!doctype html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>${title}</title>
    ${new Markup(`<style>${STYLE}</style>`)}
      </head>
      <body>
    <a class="skip" href="#main">Skip to the content</a>
    ${header(bundle)}
    <nav aria-label="Contents"><ul>${
    sections.map(([id, name]) => markup`<li><a href="#${id}">${name}</a></li>`)
  }</ul></nav>
    <main id="main">
    ${sections.map(([id, name, body]) => section(id, name, body))}
    </main>
    <footer><p>Made from the proof bundle of session <code>${repro.session}</code>, which veripatch ${repro.tool.version} wrote. This page is no proof: the bundle is.</p></footer>
      </body>
    </html>
  `.text.trim() + "\n";
}

function header(bundle: ReadBundle): Markup {
  const { repro, finalPatch } = bundle;
  const parsed = finalPatch === null ? null : parsePatch(finalPatch);
  const stats = parsed?.ok === true ? patchStats(parsed.patch) : null;
  const length = Date.parse(repro.finished_at) - Date.parse(repro.started_at);
  const tone = toneOf(repro.status);
  return markup`<header class="hero ${tone}">
<p class="eyebrow">veripatch proof bundle</p>
<h1>${STATUS_TITLES[repro.status]}</h1>
<p class="command">${
    repro.proof_targets.slice(0, 20).map((target) =>
      markup`
        <code>${target.command}</code>
      `
    )
  }</p>
${repro.reason === "" ? null : markup`<p>${repro.reason}</p>`}
<ul class="figures">
${
    stats === null
      ? null
      : markup`<li><b><span class="plus">+${stats.additions}</span> <span class="minus">−${stats.deletions}</span></b> in ${
        plural(stats.files, "file")
      }</li>`
  }
<li><b>${repro.attempts_used}</b> ${repro.attempts_used === 1 ? "attempt" : "attempts"}</li>
<li><b>${duration(Number.isNaN(length) ? 0 : Math.max(0, length))}</b> on ${
    repro.started_at.slice(0, 10)
  }</li>
<li><b>${words(repro.sandbox_backend)}</b> ${
    repro.network_policy === "deny" ? "without network" : "with network"
  }</li>
</ul>
</header>`;
}

function evidence(bundle: ReadBundle): Markup {
  const { repro } = bundle;
  const sides: [string, string][] = [
    ["Base, unpatched", "attempts/0_baseline"],
    ["Base again, beside each confirmation", "base_again"],
    ["With the final patch, in new copies", "confirmation"],
    ["With a failing test added, which must fail", "negative_control"],
    ["With the minimized patch, not used", "minimization_rejected"],
  ];
  const lines = sides.map((
    [name, directory],
  ): [string, Markup | null] => [name, runsLine(bundle, directory, directory === "negative_control")]);
  const commands = repro.proof_targets.slice(0, MAX_LISTED).map((target) => [
    target.name,
    code(target.command),
    markup`<code>${JSON.stringify(target.argv)}</code>`,
  ]);
  return markup`${findings(repro.findings)}${facts(lines)}
${table("Proof targets", ["Target", "Command", "Run as"], commands)}
${sides.map(([name, directory], i) => runsView(bundle, directory, name, i === 0))}`;
}

/** What a reader must know before the green is believed. */
function findings(found: Repro["findings"]): Markup | null {
  if (found.length === 0) return null;
  const rows = found.slice(0, MAX_LISTED).map(({ code: name, path, detail }) => [
    words(name),
    path === null ? "" : code(path),
    detail,
  ]);
  return markup`<p class="callout bad">${
    plural(found.length, "finding")
  } to look at before this is believed</p>${table("Findings", ["What", "Where", "Detail"], rows)}`;
}

function environment({ repro, environment, policy }: ReadBundle): Markup {
  const { image } = environment;
  const git = repro.git_commit === null
    ? null
    : markup`${digest(repro.git_commit)}${
      repro.git_branch === null ? null : markup`
        on ${code(repro.git_branch)}
      `
    }${repro.git_dirty === true ? " with changes that were not committed" : null}`;
  const limits = environment.enforced.map((
    { limit, value, by },
  ) => [words(limit), code(sized(limit, value)), by]);
  return markup`${
    facts([
      [
        "Sandbox",
        markup`${
          code(environment.backend)
        } of ${environment.engine} ${environment.engine_version}, ${environment.runtime}, on ${environment.platform}`,
      ],
      [
        "Image",
        image === null ? "none: the host’s own programs" : markup`${code(image.name)}<br>${digest(image.id)}`,
      ],
      ["Base tree", digest(repro.base_tree)],
      ["Result tree", repro.result_tree === null ? null : digest(repro.result_tree)],
      ["Git", git],
      ["Remote", repro.git_remote_url === null ? null : code(repro.git_remote_url)],
      [
        "Policy",
        markup`${policy.source === null ? "built in" : code(policy.source)}<br>${digest(policy.digest)}`,
      ],
      ["Proposer", code(repro.provider)],
      ["Session", markup`${code(repro.session)}<br>${repro.started_at} to ${repro.finished_at}`],
      [
        "Secrets struck out",
        repro.redactions.length === 0
          ? "none"
          : repro.redactions.slice(0, 50).map(({ rule, count }) => markup`${count} × ${code(rule)}<br>`),
      ],
    ])
  }
${table("What was enforced", ["Limit", "Value", "By"], limits)}`;
}

function sized(limit: string, value: string): string {
  const inBytes = ["memory", "file_size", "disk"].includes(limit) && /^\d{1,15}$/.test(value);
  return inBytes ? bytes(Number(value)) : value;
}

function files(bundle: ReadBundle): Markup {
  const { hashes, embedded, manifest } = bundle;
  const all = [...bundle.files].map(([name, content]) => ({
    name,
    size: content.length,
    digest: hashes.get(name)!,
  }));
  if (embedded !== null) all.push({ name: "workspace.tar", size: embedded.size, digest: embedded.sha256 });
  all.sort((a, b) => comparePaths(a.name, b.name));
  const rows = all.slice(0, MAX_LISTED).map((
    file,
  ) => [code(file.name), bytes(file.size), digest(file.digest)]);
  const more = all.length - rows.length;
  return markup`<p>${plural(all.length, "file")} in the bundle; ${
    plural(manifest.entries.length, "entry", "entries")
  } in the workspace it speaks of${
    embedded === null ? null : markup`, which is in it as ${code("workspace.tar")}`
  }.</p>
<details><summary>Every file with its digest</summary>${
    table("Files of the bundle", ["File", "Size", "SHA-256"], rows)
  }
${more > 0 ? markup`<p class="note">${plural(more, "more file")} in the bundle.</p>` : null}</details>
<p>${
    badge(bundle.repro.status)
  } <span class="muted">This bundle holds together; whether it tells the truth is for a signature and a replay to say.</span></p>`;
}

function base64(hex: string): string {
  return btoa(String.fromCharCode(...hex.match(/../g)!.map((byte) => Number.parseInt(byte, 16))));
}
