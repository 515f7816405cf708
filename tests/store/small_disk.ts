/** A disk in memory at a folder, unmounted afterwards. */
export async function withSmallDisk(
  folder: string,
  bytes: number,
  use: (disk: SmallDisk) => Promise<void>,
): Promise<void> {
  if (!mount("-t", "tmpfs", "-o", `size=${bytes},mode=700`, "tmpfs", folder)) throw new Error("cannot mount");
  try {
    await use(new SmallDisk(folder));
  } finally {
    new Deno.Command("umount", { args: ["-l", folder], stderr: "null" }).outputSync();
  }
}

/** Whether this machine lets us mount one. */
export function canMount(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const folder = Deno.makeTempDirSync({ prefix: "veripatch-test-" });
  try {
    const mounted = mount("-t", "tmpfs", "tmpfs", folder);
    if (mounted) new Deno.Command("umount", { args: [folder] }).outputSync();
    return mounted;
  } finally {
    Deno.removeSync(folder);
  }
}

function mount(...args: readonly string[]): boolean {
  try {
    return new Deno.Command("mount", { args: [...args], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

const PAGE = 4096;

class SmallDisk {
  constructor(readonly folder: string) {}

  /** Fills it but for so many pages of 4 KiB. */
  fill(pages: number): void {
    this.empty();
    const file = Deno.openSync(`${this.folder}/filler`, { write: true, createNew: true });
    try {
      const page = new Uint8Array(PAGE);
      for (;;) file.writeSync(page);
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOSPC") throw error;
      file.truncateSync(Math.max(0, Math.floor(file.statSync().size / PAGE) - pages) * PAGE);
    } finally {
      file.close();
    }
  }

  empty(): void {
    try {
      Deno.removeSync(`${this.folder}/filler`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
