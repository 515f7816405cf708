import { printablePath } from "../vocabulary/printable.ts";
import type { Refusal } from "../vocabulary/patch.ts";
import { type Evidence, type FileDigest, KEPT_DOCUMENTS } from "./claims.ts";
import { type HostileFile, openHostile } from "./hostile_file.ts";
import { BOUNDS, type Bounds, isKnownName, mostBytes, WORKSPACE_TAR } from "./layout.ts";

/** One thing about a bundle's folder that no bundle may have. */
export interface FileFinding {
  /**
   * `link`, `special_file`, `unknown_file`, `name_collision`, `empty_directory`, `too_deep`, `too_large`,
   * `too_many_files`, `changed_while_read`, `unreadable`; of a statement's list: `missing`, `extra`, `changed`.
   */
  readonly code: string;
  /** File name in the bundle, made printable; empty for the bundle as a whole. */
  readonly name: string;
  readonly detail: string;
}

/** Everything in a bundle's folder: regular files with known names as digests, all else as findings. */
export interface Inventory extends Evidence {
  readonly findings: readonly FileFinding[];
}

type InventoryTaken = { readonly ok: true; readonly inventory: Inventory } | {
  readonly ok: false;
  readonly refusal: Refusal;
};

/** Findings that are kept; a hostile folder may hold millions. */
const MAX_FINDINGS = 200;
/** Files up to this many bytes are read whole and hashed outside this thread; larger ones stream. */
const WHOLE = 1 << 20;
const SMALL = 1 << 16;
const CHUNK = 1 << 18;
const AT_ONCE = 4;
/**
 * Takes stock of a hostile folder: every file is opened once, without following a link, and hashed from that handle;
 * the documents claims are drawn from are kept, of the same bytes. Memory is bounded by those documents.
 * @returns what is there, or `bundle_missing` or `bundle_unreadable` when there is no folder to look at
 */
export async function takeInventory(dir: string, bounds: Bounds = BOUNDS): Promise<InventoryTaken> {
  const stock = new Stock(dir, bounds);
  try {
    stock.walk("", 1);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (!missing && !isOfSystem(error)) throw error;
    const reason = missing ? "bundle_missing" : "bundle_unreadable";
    const detail = missing
      ? `there is no bundle at ${dir}`
      : `cannot read ${dir}: ${(error as Error).message}`;
    return { ok: false, refusal: { reason, detail } };
  }
  await stock.hashAll();
  return { ok: true, inventory: stock.inventory() };
}

class Stock {
  readonly #files = new Map<string, FileDigest>();
  readonly #documents = new Map<string, Uint8Array>();
  readonly #findings: FileFinding[] = [];
  readonly #names: string[] = [];
  /** Names seen, folded; a second name that folds alike could stand for the first on another system. */
  readonly #folded = new Map<string, string>();
  readonly #looked = new Map<string, boolean>();
  #entries = 0;
  #bytes = 0;
  #full = false;

  constructor(readonly root: string, readonly bounds: Bounds) {}

  walk(prefix: string, depth: number): void {
    const entries: Deno.DirEntry[] = [];
    for (const entry of Deno.readDirSync(`${this.root}/${prefix}`)) {
      // Directories count too: a bundle has no more of them than files.
      if (++this.#entries > 2 * this.bounds.files) return this.#tooMany();
      entries.push(entry);
    }
    if (entries.length === 0 && prefix !== "") this.#find("empty_directory", prefix, "an empty directory");
    for (const entry of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
      if (this.#full) return;
      const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
      if (this.#collides(name)) continue;
      if (entry.isSymlink) this.#find("link", name, "a link");
      else if (entry.isDirectory) this.#descend(name, entry.name, depth);
      else if (!entry.isFile) this.#find("special_file", name, "neither a file nor a directory");
      else if (!isKnownName(name)) this.#find("unknown_file", name, "a file that no bundle has");
      else this.#names.push(name);
    }
  }

  #descend(path: string, name: string, depth: number): void {
    if (depth === this.bounds.depth) {
      this.#find("too_deep", path, `nested deeper than ${this.bounds.depth}`);
    } else if (!/^[a-z0-9_]{1,64}$/.test(name)) {
      this.#find("unknown_file", path, "a directory that no bundle has");
    } else {
      try {
        this.walk(path, depth + 1);
      } catch (error) {
        if (!isOfSystem(error)) throw error;
        this.#find("unreadable", path, error.message);
      }
    }
  }

  #collides(name: string): boolean {
    // Plain names are the same in every form; asking for one loads its tables, a tenth of verifying a small bundle.
    const folded = /^[\x20-\x7e]*$/.test(name)
      ? name.toLowerCase()
      : name.normalize("NFKC").toLowerCase().normalize("NFKC");
    const other = this.#folded.get(folded);
    this.#folded.set(folded, name);
    if (other === undefined) return false;
    this.#find("name_collision", name, `the same name as ${printablePath(other)} on some systems`);
    return true;
  }

  async hashAll(): Promise<void> {
    if (this.#names.length > this.bounds.files) return this.#tooMany();
    let next = 0;
    const work = async () => {
      while (!this.#full && next < this.#names.length) await this.#take(this.#names[next++]!);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** Hashes one file from the handle it was opened by, and keeps its bytes when claims are drawn from it. */
  async #take(name: string): Promise<void> {
    const path = `${this.root}/${name}`;
    try {
      const seen = Deno.lstatSync(path);
      if (!seen.isFile) return this.#find("special_file", name, "neither a file nor a directory");
      using file = await openHostile(path, false, this.#looked);
      const { size } = file;
      if (!file.isFile || file.dev !== seen.dev || file.ino !== seen.ino) {
        return this.#find("changed_while_read", name, "it changes while it is read");
      }
      const most = mostBytes(name, this.bounds);
      if (size > most) return this.#find("too_large", name, `a file over ${most} bytes`);
      if (name !== WORKSPACE_TAR) this.#bytes += size;
      if (this.#bytes > this.bounds.totalBytes) {
        this.#full = true;
        return this.#find("too_large", name, `over ${this.bounds.totalBytes} bytes in all`);
      }
      const keep = size <= (KEPT_DOCUMENTS.get(name) ?? -1);
      const digest = keep || size <= WHOLE ? await this.#whole(file, name, keep) : await streamed(file);
      if (digest === null) return this.#find("changed_while_read", name, "it changes while it is read");
      this.#files.set(name, { size, sha256: digest });
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      // A link, where a file was.
      const code = "code" in error && error.code === "ELOOP" ? "changed_while_read" : "unreadable";
      this.#find(code, name, error.message);
    }
  }

  async #whole(file: HostileFile, name: string, keep: boolean): Promise<string | null> {
    const { size } = file;
    // One byte more, so that a file that grows is noticed.
    const buffer = new Uint8Array(size + 1);
    // A small file is read sooner than a thread is asked to.
    if ((size <= SMALL ? fillSync(file, buffer) : await fill(file, buffer)) !== size) return null;
    const bytes = buffer.subarray(0, size);
    if (keep) this.#documents.set(name, bytes);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  }

  inventory(): Inventory {
    const findings = this.#findings.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
    return { files: this.#files, documents: this.#documents, findings };
  }

  #tooMany(): void {
    this.#full = true;
    this.#find("too_many_files", "", "more files than a bundle has");
  }

  #find(code: string, name: string, detail: string): void {
    if (this.#findings.length < MAX_FINDINGS) {
      this.#findings.push({ code, name: printablePath(name), detail });
    }
  }
}

/**
 * Stock of files in memory, whose names and sizes were checked when they were read.
 * @param embedded workspace.tar, which is never held in memory
 */
export async function inventoryOf(
  files: ReadonlyMap<string, Uint8Array>,
  embedded: FileDigest | null = null,
): Promise<Inventory> {
  const { createHash } = await import("node:crypto");
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  const kept = [...files].filter(([name, bytes]) => bytes.length <= (KEPT_DOCUMENTS.get(name) ?? -1));
  const digests = new Map(
    [...files].map(([name, bytes]) => [name, { size: bytes.length, sha256: sha256(bytes) }]),
  );
  if (embedded !== null) digests.set(WORKSPACE_TAR, { size: embedded.size, sha256: embedded.sha256 });
  return {
    files: digests,
    documents: new Map(kept),
    findings: [],
  };
}

/**
 * Digest of a large file, or null when it does not have as many bytes as it had. While one part is hashed the next is
 * read.
 */
async function streamed(file: HostileFile): Promise<string | null> {
  // Loaded when needed: a small bundle verifies in less time than this takes to load.
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  let [now, later] = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)];
  let total = 0;
  let filling = fill(file, now);
  for (;;) {
    const filled = await filling;
    total += filled;
    const last = filled < CHUNK || total > file.size;
    if (!last) filling = fill(file, later);
    hash.update(now.subarray(0, filled));
    if (last) return total === file.size ? hash.digest("hex") : null;
    [now, later] = [later, now];
  }
}

/** Reads until a buffer is full or the file ends. */
async function fill(file: HostileFile, buffer: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const read = await file.read(buffer.subarray(filled));
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

function fillSync(file: HostileFile, buffer: Uint8Array): number {
  let filled = 0;
  while (filled < buffer.length) {
    const read = file.readSync(buffer.subarray(filled));
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** Whether the system refused something, in contrast to a bug. */
function isOfSystem(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^E[A-Z0-9]+$/.test(String(error.code)) ||
    Object.values(Deno.errors).some((kind) => error instanceof kind);
}
