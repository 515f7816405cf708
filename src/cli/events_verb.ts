import type { Command } from "commander";
import { storeFlags } from "./artifact_verb.ts";
import type { EventsFlags, EventsPruneFlags } from "./events.ts";
import { passphraseFlags } from "./key_verb.ts";
import { outputFlag } from "./output_flag.ts";
import { repeatable } from "./repeatable.ts";
import type { verbRunner } from "./verb.ts";

/** `pp events`: the log of everything that ever changed in the store. */
export function registerEvents(program: Command, verb: ReturnType<typeof verbRunner>): void {
  const events = passphraseFlags(
    storeFlags(
      outputFlag(
        program.command("events").description("Show, follow, verify and sign the log of the store"),
        { value: "file", description: "where a new checkpoint goes (default checkpoint-N.json)" },
      ),
    )
      .option("--since <n>", "those after event N (default: the last 50)")
      .option("--follow", "go on with what is added, until Ctrl-C; with --json one document per line")
      .option("--verify", "verify the chain, each payload, the versions, and the given checkpoints")
      .option(
        "--checkpoint <file>",
        "with --verify: a checkpoint the log must still hold, repeatable; else: the key to sign one with",
        repeatable,
      )
      .option("--force", "replace a checkpoint that is there")
      .option("--key <file>", "with --verify: public key that signed the checkpoints; repeatable", repeatable)
      .option("--trust <file>", "with --verify: trust file that says whose keys count")
      .option("--role <role>", "the role its signers need in the trust file (default approver)"),
  );
  events.addHelpText(
    "after",
    `
Examples:
  pp events
  pp events --since 100 --json
  pp events --follow
  pp events --verify
  pp events --checkpoint ops.key.pem -o /media/safe/checkpoint.json
  pp events --verify --checkpoint /media/safe/checkpoint.json --key ops.pub.pem
  pp events prune --older-than 52w

Each event holds the hash of the one before. Who can write to the store can still write all of it anew, or
cut off its end: only a checkpoint that is kept elsewhere shows that. Exit 0 sound, 2 not.`,
  ).action(verb(async (flags: EventsFlags) => {
    const { runEvents } = await import("./events.ts");
    return await runEvents(flags);
  }));
  const prune = verb(async (flags: EventsPruneFlags) => {
    const { eventsPrune } = await import("./events.ts");
    return await eventsPrune(flags);
  });
  storeFlags(
    events.command("prune")
      .description("Take the payloads of old events away; their hashes stay and the chain verifies as before")
      .requiredOption("--older-than <time>", "how old: 12h, 30d, 52w"),
  ).addHelpText(
    "after",
    `
Examples:
  pp events prune --older-than 52w
  pp events prune --older-than 30d --store /srv/veripatch`,
    // `events` itself takes --store and --json, so they end up with it.
  ).action((_flags: unknown, command: Command) => prune(command.optsWithGlobals()));
}
