import type { Command } from "commander";
import type { CreateFlags } from "./artifact.ts";
import type { DiffFlags, ExportFlags } from "./artifact_content.ts";
import { outputFlag } from "./output_flag.ts";
import type { FsckFlags, GcFlags, PruneFlags } from "./artifact_upkeep.ts";
import type { StoreFlags } from "./store_asked.ts";
import type { verbRunner } from "./verb.ts";

type Verb = ReturnType<typeof verbRunner>;

/** Flags of every verb that works on the store. */
export function storeFlags(command: Command): Command {
  return command
    .option("--store <dir>", "where the store is (PP_STORE; default ~/.local/share/veripatch)")
    .option("--json", "print one JSON document on stdout");
}

/** The flags of a verb that can write its answer to a file. */
function writing(command: Command): Command {
  const asked = { value: "file", description: "write the patch, byte for byte, to a file" };
  return storeFlags(outputFlag(command, asked).option("--force", "replace a file that is there"));
}

function examples(command: Command, text: string): Command {
  return command.addHelpText("after", `\nExamples:\n${text}`);
}

/** `pp artifact …`: versions of workspaces. */
export function registerArtifact(program: Command, verb: Verb): void {
  const artifact = program.command("artifact").description(
    "Keep versions of a workspace, look at them, go back",
  );
  examples(
    artifact,
    `  pp artifact create api -m "before the rewrite"
  pp artifact diff api@1 api@2
  pp artifact export api@1 old-api
  pp artifact rollback api@1
  pp artifact fsck

NAME@3 is the third version of NAME, NAME alone the newest. A version is never changed; files that are equal
are stored once, also across artifacts. docs/store.md says how.`,
  );
  registerMaking(artifact, verb);
  registerLooking(artifact, verb);
  registerUpkeep(artifact, verb);
}

function registerMaking(artifact: Command, verb: Verb): void {
  examples(
    storeFlags(
      artifact.command("create")
        .description("Store the workspace as the next version")
        .argument("<name>", "name of the artifact; made with its first version")
        .option("--workspace <dir>", "directory to store", ".")
        .option("-m, --message <text>", "what this version is"),
    ),
    `  pp artifact create api
  pp artifact create api --workspace ../api -m "release 1.4"
  PP_ACTOR=ci pp artifact create api --json | jq -r .version.name

What .ppignore names, .git and caches stay out, as in a proof. Nothing changed since the newest version: no
new one is made, and that is said.`,
  ).action(verb(async (name: string, flags: CreateFlags) => {
    const { artifactCreate } = await import("./artifact.ts");
    return await artifactCreate(name, flags);
  }));
  examples(
    storeFlags(
      artifact.command("rollback")
        .description("Make a new version that is equal to an old one")
        .argument("<version>", "NAME@N to go back to")
        .option("-m, --message <text>", "why"),
    ),
    `  pp artifact rollback api@1
  pp artifact rollback api@1 -m "2 loses data" && pp artifact export api restored

History stays as it is: what is undone can be gone back to as well.`,
  ).action(verb(async (name: string, flags: StoreFlags & { message?: string }) => {
    const { artifactRollback } = await import("./artifact.ts");
    return await artifactRollback(name, flags);
  }));
}

function registerLooking(artifact: Command, verb: Verb): void {
  examples(
    storeFlags(
      artifact.command("list").description("List the artifacts")
        .argument("[name]", "list its versions instead, as pp artifact versions does"),
    ),
    `  pp artifact list
  pp artifact list --json | jq -r '.artifacts[].name'`,
  ).action(verb(async (name: string | undefined, flags: StoreFlags) => {
    const { artifactList, artifactVersions } = await import("./artifact.ts");
    return name === undefined ? await artifactList(flags) : await artifactVersions(name, flags);
  }));
  examples(
    storeFlags(
      artifact.command("show").description("Show one version").argument("<version>", "NAME or NAME@N"),
    ),
    `  pp artifact show api
  pp artifact show api@2`,
  ).action(verb(async (name: string, flags: StoreFlags) => {
    const { artifactShow } = await import("./artifact.ts");
    return await artifactShow(name, flags);
  }));
  examples(
    storeFlags(
      artifact.command("versions").description("List the versions of an artifact").argument(
        "<name>",
        "its name",
      ),
    ),
    `  pp artifact versions api`,
  ).action(verb(async (name: string, flags: StoreFlags) => {
    const { artifactVersions } = await import("./artifact.ts");
    return await artifactVersions(name, flags);
  }));
  examples(
    storeFlags(
      artifact.command("files").description("List the files of a version").argument(
        "<version>",
        "NAME or NAME@N",
      ),
    ),
    `  pp artifact files api@2
  pp artifact files api --json | jq -r '.entries[].path'`,
  ).action(verb(async (name: string, flags: StoreFlags) => {
    const { artifactFiles } = await import("./artifact.ts");
    return await artifactFiles(name, flags);
  }));
  examples(
    writing(
      artifact.command("diff")
        .description("Show what differs between two versions, as git does")
        .argument("<from>", "NAME or NAME@N")
        .argument("<to>", "NAME or NAME@N")
        .option("--stat", "only which files"),
    ),
    `  pp artifact diff api@1 api@2
  pp artifact diff api@1 api --stat
  pp artifact diff api@1 api@2 -o fix.diff && git apply --check fix.diff

Binary files and those above 4 MiB are named and not shown.`,
  ).action(verb(async (one: string, two: string, flags: DiffFlags) => {
    const { artifactDiff } = await import("./artifact_content.ts");
    return await artifactDiff(one, two, flags);
  }));
  examples(
    storeFlags(
      artifact.command("export")
        .description("Write the files of a version to a folder or a tar")
        .argument("<version>", "NAME or NAME@N")
        .argument("[directory]", "a new folder, or an empty one")
        .option("--tar <file>", "write a tar instead; the same version gives the same bytes")
        .option("--force", "replace a tar that is there"),
    ),
    `  pp artifact export api@2 /tmp/api-2
  pp artifact export api@2 --tar api-2.tar

Whole or not at all; each byte is checked on the way.`,
  ).action(verb(async (name: string, directory: string | undefined, flags: ExportFlags) => {
    const { artifactExport } = await import("./artifact_content.ts");
    return await artifactExport(name, directory, flags);
  }));
}

function registerUpkeep(artifact: Command, verb: Verb): void {
  examples(
    storeFlags(
      artifact.command("fsck")
        .description("Check every byte of the store, and repair what can be")
        .option("--repair", "put corrupt blobs aside and restore what can be restored")
        .option("--workspace <dir>", "where --repair looks for the lost bytes"),
    ),
    `  pp artifact fsck
  pp artifact fsck --repair --workspace .

Names every version that a corrupt or missing blob hits. Exit 0 sound, 2 damaged. Proofs of proposals whose
bundle is gone or changed are named, too; the store is sound without them.`,
  ).action(verb(async (flags: FsckFlags) => {
    const { artifactFsck } = await import("./artifact_upkeep.ts");
    return await artifactFsck(flags);
  }));
  examples(
    storeFlags(
      artifact.command("gc")
        .description("Remove what no version and no proposal refers to")
        .option("--dry-run", "only say what would be removed"),
    ),
    `  pp artifact gc --dry-run
  pp artifact prune --keep 10 && pp artifact gc`,
  ).action(verb(async (flags: GcFlags) => {
    const { artifactGc } = await import("./artifact_upkeep.ts");
    return await artifactGc(flags);
  }));
  examples(
    storeFlags(
      artifact.command("prune")
        .description("Remove old versions; the newest always stays")
        .argument("[name]", "one artifact; all of them when left out")
        .option("--keep <n>", "keep the newest N of each")
        .option("--older-than <time>", "remove those made longer ago: 12h, 30d, 2w")
        .option("--dry-run", "only say what would be removed"),
    ),
    `  pp artifact prune api --keep 10
  pp artifact prune --older-than 26w --dry-run`,
  ).action(verb(async (name: string | undefined, flags: PruneFlags) => {
    const { artifactPrune } = await import("./artifact_upkeep.ts");
    return await artifactPrune(name, flags);
  }));
}
