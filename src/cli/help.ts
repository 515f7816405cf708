import type { Command } from "commander";
import { spellingHint } from "../document/spelling.ts";
import { Failure } from "../vocabulary/failure.ts";
import { printableLine } from "../vocabulary/printable.ts";
import { VERSION } from "../version.ts";
import { EXIT } from "./exit_code.ts";
import type { HelpFlags } from "./help_verb.ts";
import { colour } from "./output.ts";
import { paged } from "./page/pager.ts";
import { renderPage } from "./page/render.ts";
import { type Topic, topicPage, TOPICS } from "./topics.ts";
import { manualPage } from "./tree/man.ts";
import { shapeOf } from "./tree/shape.ts";
import type { VerbResult } from "./verb.ts";

/** Text is read best when lines are not longer. */
const WIDEST = 100;

/**
 * Verbs and topics, or one of them: a verb's own help, a topic's page, or one after the other where both have the name.
 * @throws Failure `topic_unknown` (usage)
 */
export async function help(
  program: Command,
  words: readonly string[],
  flags: HelpFlags,
): Promise<VerbResult> {
  if (flags.man === true) {
    const text = manualPage(shapeOf(program), VERSION, TOPICS);
    return { exit: EXIT.yes, text, json: { format: "veripatch-help/v1", man: text } };
  }
  const command = commandNamed(program, words);
  const topic = words.length === 1 ? TOPICS.find(({ name }) => name === words[0]) : undefined;
  if (command === undefined && topic === undefined) throw unknown(program, words);
  const markdown = topic === undefined ? null : await topicPage(topic);
  const json = {
    format: "veripatch-help/v1",
    verb: command === undefined
      ? null
      : shapeOf(command, words.length === 0 ? [] : ["pp", ...words.slice(0, -1)]),
    topic: topic === undefined ? null : { name: topic.name, about: topic.about, markdown },
    topics: TOPICS.map(({ name, about }) => ({ name, about })),
  };
  if (flags.json === true) return { exit: EXIT.yes, text: "", json };
  const text = [
    ...(command === undefined ? [] : [helpText(command)]),
    ...(markdown === null ? [] : [pageText(markdown)]),
  ].join("\n");
  const shown = flags.pager && await paged(text);
  return { exit: EXIT.yes, text: shown ? "" : text, json };
}

/** The command all words name; the program itself without words. */
function commandNamed(program: Command, words: readonly string[]): Command | undefined {
  let at: Command | undefined = program;
  for (const word of words) at = at?.commands.find((command) => command.name() === word);
  return at;
}

/** What `--help` prints. */
function helpText(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text;
}

function pageText(markdown: string): string {
  const painters = colour(Deno.stdout);
  const plain = painters.bold("x") === "x";
  return renderPage(markdown, { width: pageWidth(), colour: plain ? null : painters, topicOf });
}

function topicOf(href: string): string | null {
  const file = href.replace(/#.*$/, "");
  return TOPICS.find((topic: Topic) => topic.file === file)?.name ?? null;
}

/** Columns of the terminal, at most what reads well. */
function pageWidth(): number {
  try {
    return Math.max(20, Math.min(Deno.consoleSize().columns, WIDEST));
  } catch {
    return 80;
  }
}

function unknown(program: Command, words: readonly string[]): Failure {
  const group = words.length > 1 ? commandNamed(program, words.slice(0, -1)) : undefined;
  const verbs = (group ?? program).commands.map((command) => command.name());
  const names = group === undefined ? [...verbs, ...TOPICS.map(({ name }) => name)] : verbs;
  const word = group === undefined ? words[0]! : words.at(-1)!;
  return new Failure(
    "usage",
    "topic_unknown",
    `there is no verb or topic ${printableLine(words.join(" "))}${spellingHint(word, names)}`,
    { hint: "pp help lists them" },
  );
}
