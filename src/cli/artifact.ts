import { secretFile } from "../prove/secret_file.ts";
import { createVersion, requireVersion, rollBack } from "../store/artifact/create.ts";
import { entriesOf } from "../store/artifact/export.ts";
import { artifactName, versionName } from "../store/names.ts";
import type { Version } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine, printablePath, quoted } from "../vocabulary/printable.ts";
import { realDirectory } from "../workspace/real_directory.ts";
import { oneRow } from "./cells.ts";
import { EXIT } from "./exit_code.ts";
import { terminalColumns } from "./help_layout.ts";
import { amount, bytesText, type Colour, colour, count, grouped, timeText } from "./output.ts";
import { type StoreFlags, type StoreUse, withStore } from "./store_asked.ts";
import type { VerbResult } from "./verb.ts";
import { versionJson } from "./version_json.ts";

const MAX_MESSAGE = 10_000;
/** Files that look like secrets named in a line. */
const MAX_SECRETS = 20;

export interface CreateFlags extends StoreFlags {
  readonly workspace?: string;
  readonly message?: string;
}

/** `pp artifact create`: the workspace as it is becomes the next version. */
export async function artifactCreate(text: string, flags: CreateFlags): Promise<VerbResult> {
  const name = artifactName(text);
  const message = messageOf(flags.message);
  const root = await workspaceRoot(flags.workspace ?? ".");
  return await withStore(flags, true, async (use) => {
    const { store } = use;
    const { version, changed, captured, secrets } = await storeWorkspace(use, name, root, message);
    const c = colour(Deno.stdout);
    const json = {
      ...document("version", version),
      changed,
      files_read: captured.read,
      likely_secrets: secrets,
      store: store.folder,
    };
    if (!changed) {
      const since = `nothing changed since ${timeText(version.createdAt)}`;
      return { exit: EXIT.yes, text: `${c.bold(nameOf(version))}  ${since}`, json };
    }
    const known = captured.known === 0 ? "" : `, ${grouped(captured.known)} known from before`;
    const lines = [
      `${c.bold(nameOf(version))}  ${amount(version.files, version.bytes)}, tree ${
        version.manifest.slice(0, 12)
      }`,
      c.dim(`read     ${grouped(captured.read)} file${captured.read === 1 ? "" : "s"}${known}`),
      c.dim(`store    ${printablePath(store.folder)}`),
      version.number > 1
        ? `next     pp artifact diff ${name}@${version.number - 1} ${nameOf(version)}`
        : `next     pp artifact files ${nameOf(version)}`,
    ];
    return { exit: EXIT.yes, text: lines.join("\n"), json };
  });
}

/** Stores a directory as the next version of an artifact, if it is not equal to the newest. */
export async function storeWorkspace(
  { store, by, capture, signal, counter, waiting }: StoreUse,
  name: string,
  root: string,
  message: string,
) {
  const found = new Map<string, string>();
  const stored = await createVersion(
    store,
    by,
    name,
    message,
    async (unknownTrees) => {
      const captured = await capture(root, {
        unknownTrees,
        signal,
        look: (path, bytes) => {
          const why = secretFile(path, bytes);
          if (why !== null) found.set(path, why);
        },
        progress: ({ files, bytes, ofFiles, ofBytes }) =>
          counter.show(
            ofFiles === null
              ? "looking at the workspace"
              : `storing ${grouped(files)} of ${grouped(ofFiles)} files, ${bytesText(bytes)} of ${
                bytesText(ofBytes)
              }`,
          ),
      });
      if (captured.files === 0) throw nothingThere(root);
      return captured;
    },
    { signal, waiting },
  );
  stored.captured.remember();
  const secrets = stored.changed ? [...found].map(([path, why]) => ({ path, why })) : [];
  for (const line of secretLines(name, secrets)) counter.say(line);
  return { ...stored, secrets };
}

/** A file that a version holds, and what makes it look secret. */
interface LikelySecret {
  readonly path: string;
  readonly why: string;
}

/** What is said of files that were stored and had better not be. */
function secretLines(name: string, secrets: readonly LikelySecret[]): string[] {
  if (secrets.length === 0) return [];
  const shown = secrets.slice(0, MAX_SECRETS).map(({ path, why }) => `${printablePath(path)} (${why})`);
  const more = secrets.length > shown.length ? ` and ${secrets.length - shown.length} more` : "";
  const [what, them] = secrets.length === 1 ? ["a file that looks", "it"] : ["files that look", "them"];
  return [
    `warning  the version holds ${what} like a secret: ${shown.join(", ")}${more}`,
    `         .ppignore leaves ${them} out of the next one; then pp artifact prune ${name} --keep 1 and gc remove ${them}`,
  ];
}

/** `pp artifact rollback`: a new version equal to an old one. */
export async function artifactRollback(
  text: string,
  flags: StoreFlags & { readonly message?: string },
): Promise<VerbResult> {
  const asked = versionName(text);
  if (asked.number === null) {
    throw new Failure("usage", "version_malformed", `say which version to go back to: ${asked.artifact}@N`, {
      hint: `pp artifact versions ${asked.artifact} shows those there are`,
    });
  }
  const message = messageOf(flags.message ?? `back to ${asked.artifact}@${asked.number}`);
  return await withStore(flags, false, ({ store, by }) => {
    const { version, changed } = rollBack(store, by, asked, message);
    const c = colour(Deno.stdout);
    const text = changed
      ? `${c.bold(nameOf(version))}  is ${asked.artifact}@${asked.number} again; nothing was removed\n` +
        `next     pp artifact export ${nameOf(version)} DIR`
      : `${c.bold(nameOf(version))}  is ${asked.artifact}@${asked.number} already`;
    return Promise.resolve({
      exit: EXIT.yes,
      text,
      json: { ...document("version", version), changed, store: store.folder },
    });
  });
}

/** `pp artifact list`. */
export async function artifactList(flags: StoreFlags): Promise<VerbResult> {
  return await withStore(flags, false, ({ store }) => {
    const all = store.records.read((rows) => rows.artifacts());
    const c = colour(Deno.stdout);
    const rows = all.flatMap(({ latest, versions }) =>
      latest === null
        ? []
        : [[nameOf(latest), count(versions, "version"), amount(latest.files, latest.bytes), made(latest)]]
    );
    return Promise.resolve({
      exit: EXIT.yes,
      text: rows.length === 0 ? "no artifacts yet: pp artifact create NAME makes one" : table(rows, c),
      json: {
        format: "veripatch-artifact-list/v1",
        artifacts: all.map(({ artifact, versions, latest }) => ({
          name: artifact.name,
          created_at: artifact.createdAt,
          versions,
          latest: latest === null ? null : versionJson(latest),
        })),
      },
    });
  });
}

/** `pp artifact versions`. */
export async function artifactVersions(text: string, flags: StoreFlags): Promise<VerbResult> {
  const name = artifactName(text);
  return await withStore(flags, false, ({ store }) => {
    const versions = store.records.read((rows) => {
      requireVersion(rows, { artifact: name, number: null });
      return rows.versions(name);
    });
    const c = colour(Deno.stdout);
    const rows = versions.map((version) => [
      nameOf(version),
      amount(version.files, version.bytes),
      made(version),
      version.message === "" ? "" : quoted(version.message.split("\n")[0]!, 60),
    ]);
    return Promise.resolve({
      exit: EXIT.yes,
      text: table(rows, c),
      json: { format: "veripatch-artifact-versions/v1", name, versions: versions.map(versionJson) },
    });
  });
}

/** `pp artifact show`. */
export async function artifactShow(text: string, flags: StoreFlags): Promise<VerbResult> {
  const asked = versionName(text);
  return await withStore(flags, false, ({ store }) => {
    const version = store.records.read((rows) => requireVersion(rows, asked));
    const c = colour(Deno.stdout);
    const lines = [
      `${c.bold(nameOf(version))}  ${amount(version.files, version.bytes)}`,
      `made     ${made(version)}`,
      ...(version.restores === null ? [] : [`equals   ${version.artifact}@${version.restores}`]),
      ...(version.message === ""
        ? []
        : version.message.split("\n").map((line) => `message  ${printableLine(line)}`)),
      `tree     ${version.manifest}`,
      `root     ${version.root}`,
    ];
    return Promise.resolve({ exit: EXIT.yes, text: lines.join("\n"), json: document("version", version) });
  });
}

/** `pp artifact files`. */
export async function artifactFiles(text: string, flags: StoreFlags): Promise<VerbResult> {
  const asked = versionName(text);
  return await withStore(flags, false, ({ store }) => {
    const version = store.records.read((rows) => requireVersion(rows, asked));
    const entries = entriesOf(store, version);
    const width = Math.max(...entries.map(({ size }) => String(size).length), 1);
    const lines = entries.map(({ path, mode, size, sha256, target }) =>
      mode === "040000"
        ? `${mode} ${"-".padStart(width)} ${"-".repeat(12)} ${printablePath(path)}/`
        : `${mode} ${String(size).padStart(width)} ${sha256.slice(0, 12)} ${printablePath(path)}${
          target === undefined ? "" : ` -> ${printablePath(target)}`
        }`
    );
    return Promise.resolve({
      exit: EXIT.yes,
      text: lines.join("\n"),
      json: { ...document("files", version), entries },
    });
  });
}

function document(kind: string, version: Version) {
  return { format: `veripatch-artifact-${kind}/v1`, version: versionJson(version) };
}

function nameOf({ artifact, number }: Version): string {
  return `${artifact}@${number}`;
}

function made({ createdAt, actor, restores }: Version): string {
  const how = restores === null ? "" : `, back to ${restores}`;
  return `${timeText(createdAt)} by ${printableLine(actor)}${how}`;
}

/** Rows of columns, the first one bold; each one row of a terminal. */
function table(rows: readonly (readonly string[])[], c: Colour): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const columns = terminalColumns();
  return rows.map((row) => {
    const cells = row.map((cell, i) => i === 0 ? c.bold(cell.padEnd(widths[i]!)) : cell.padEnd(widths[i]!));
    return oneRow(cells.join("  ").trimEnd(), columns);
  }).join("\n");
}

function messageOf(text = ""): string {
  if (text.length <= MAX_MESSAGE && text.isWellFormed()) return text;
  throw new Failure("usage", "message_malformed", `a message has at most ${MAX_MESSAGE} characters`);
}

/** A workspace's directory, absolute and without links. @throws Failure `workspace_missing` (usage) */
export function workspaceRoot(named: string): Promise<string> {
  return realDirectory(named, "name the directory of the project with --workspace DIR");
}

function nothingThere(root: string): Failure {
  return new Failure("usage", "workspace_empty", `there is no file to keep in ${printablePath(root)}`, {
    hint: "what .ppignore and the built-in rules leave out is no part of a workspace",
  });
}
