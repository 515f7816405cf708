import { revisionName } from "../store/proposal/find.ts";
import { printableLine } from "../vocabulary/printable.ts";
import type { Listed } from "./approval.ts";
import { firstRow, rowsOf } from "./cells.ts";
import { ALL_FINDINGS, checkLines } from "./check_text.ts";
import { type Colour, colourDiff, count } from "./output.ts";
import {
  decisionLines,
  fileLines,
  FORCED,
  headLines,
  inUseMark,
  marksText,
  standingLine,
  stateText,
} from "./revision_text.ts";
import type { RevisionView } from "./revision_view.ts";

const PANES = ["diff", "findings", "tests", "facts"] as const;
export type Pane = typeof PANES[number];

/** A proposal that is looked at. */
export interface Opened {
  readonly view: RevisionView;
  readonly patch: string;
  readonly pane: Pane;
  readonly scroll: number;
  /** Whether the end of the diff was on the screen. */
  readonly seenAll: boolean;
}

/** What is asked of whoever reviews. */
export type Question =
  | { readonly kind: "approve" }
  | { readonly kind: "reject"; readonly reason: string };

export interface Review {
  readonly items: readonly Listed[];
  readonly selected: number;
  readonly opened: Opened | null;
  readonly question: Question | null;
  /** Said in the last line but one until the next key. */
  readonly message: string;
  /** The principal who decides; null: only looking. */
  readonly as: string | null;
}

/** What has to be done about a key beyond the screen. */
export type Wish =
  | { readonly kind: "open"; readonly item: Listed }
  | { readonly kind: "decide"; readonly decision: "approve" | "reject"; readonly reason: string }
  | { readonly kind: "refresh" }
  | { readonly kind: "quit" }
  | { readonly kind: "interrupt" };

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const PLAIN = new Proxy({} as Colour, { get: () => (text: string) => text });
const MIN_COLUMNS = 20;
const MIN_ROWS = 8;
const MAX_REASON_TYPED = 500;

/** What a key does. */
export function press(
  review: Review,
  key: string,
  size: Size,
): { readonly review: Review; readonly wish: Wish | null } {
  const calm = { ...review, message: "" };
  if (key === "ctrl-c") return { review: calm, wish: { kind: "interrupt" } };
  if (calm.question !== null) return answer(calm, calm.question, key);
  if (calm.opened !== null) return pressOpened(calm, calm.opened, key, size);
  const last = Math.max(0, calm.items.length - 1);
  const select = (selected: number) => ({
    review: { ...calm, selected: Math.min(last, Math.max(0, selected)) },
    wish: null,
  });
  const page = listRows(size);
  switch (key) {
    case "up":
    case "k":
      return select(calm.selected - 1);
    case "down":
    case "j":
      return select(calm.selected + 1);
    case "page-up":
      return select(calm.selected - page);
    case "page-down":
    case " ":
      return select(calm.selected + page);
    case "home":
    case "g":
      return select(0);
    case "end":
    case "G":
      return select(last);
    case "enter":
    case "right": {
      const item = calm.items[calm.selected];
      return { review: calm, wish: item === undefined ? null : { kind: "open", item } };
    }
    case "q":
    case "escape":
    case "ctrl-d":
      return { review: calm, wish: { kind: "quit" } };
    default:
      return { review: calm, wish: key === "R" ? { kind: "refresh" } : null };
  }
}

function pressOpened(review: Review, opened: Opened, key: string, size: Size) {
  const most = Math.max(0, bodyRows(opened, size.columns, PLAIN).length - paneRows(size));
  const put = (change: Partial<Opened>) => ({
    review: { ...review, opened: seen({ ...opened, ...change }, size) },
    wish: null,
  });
  const scroll = (to: number) => put({ scroll: Math.min(most, Math.max(0, to)) });
  const turn = (by: number) =>
    put({ pane: PANES[(PANES.indexOf(opened.pane) + by + PANES.length) % PANES.length]!, scroll: 0 });
  const ask = (question: Question) => {
    const message = review.as === null
      ? "only looking: start with --key FILE to decide"
      : opened.view.evidence === null
      ? "there is nothing to decide on"
      : null;
    return message === null
      ? { review: { ...review, question }, wish: null }
      : { review: { ...review, message }, wish: null };
  };
  if (/^[1-4]$/.test(key)) return put({ pane: PANES[Number(key) - 1]!, scroll: 0 });
  switch (key) {
    case "up":
    case "k":
      return scroll(opened.scroll - 1);
    case "down":
    case "j":
    case "enter":
      return scroll(opened.scroll + 1);
    case "page-up":
    case "b":
      return scroll(opened.scroll - paneRows(size));
    case "page-down":
    case " ":
      return scroll(opened.scroll + paneRows(size));
    case "home":
    case "g":
      return scroll(0);
    case "end":
    case "G":
      return scroll(most);
    case "tab":
    case "right":
      return turn(1);
    case "shift-tab":
    case "left":
      return turn(-1);
    case "a":
      return ask({ kind: "approve" });
    case "r":
      return ask({ kind: "reject", reason: "" });
    case "q":
    case "escape":
      return { review: { ...review, opened: null }, wish: { kind: "refresh" } as const };
    default:
      return { review, wish: null };
  }
}

function answer(review: Review, question: Question, key: string) {
  const stop = { review: { ...review, question: null, message: "nothing was decided" }, wish: null };
  const decide = (decision: "approve" | "reject", reason: string) => ({
    review: { ...review, question: null },
    wish: { kind: "decide", decision, reason } as const,
  });
  if (key === "escape" || key === "ctrl-d") return stop;
  if (question.kind === "approve") return key === "y" ? decide("approve", "") : stop;
  const type = (reason: string) => ({ review: { ...review, question: { ...question, reason } }, wish: null });
  const { reason } = question;
  if (key === "enter") {
    if (reason.trim() !== "") return decide("reject", reason.trim());
    return { review: { ...review, message: "a rejection has a reason" }, wish: null };
  }
  if (key === "backspace") return type([...reason].slice(0, -1).join(""));
  if (key === "ctrl-u") return type("");
  return [...key].length === 1 && reason.length < MAX_REASON_TYPED
    ? type(reason + key)
    : { review, wish: null };
}

/** What a proposal is looked at first as. */
export function openedAs(view: RevisionView, patch: string, size: Size): Opened {
  return seen({ view, patch, pane: "diff", scroll: 0, seenAll: false }, size);
}

/** Fitted to another size, or to what the store has now. */
export function fitted(review: Review, size: Size): Review {
  const selected = Math.min(review.selected, Math.max(0, review.items.length - 1));
  if (review.opened === null) return { ...review, selected };
  const most = Math.max(0, bodyRows(review.opened, size.columns, PLAIN).length - paneRows(size));
  const opened = seen({ ...review.opened, scroll: Math.min(most, review.opened.scroll) }, size);
  return { ...review, selected, opened };
}

function seen(opened: Opened, size: Size): Opened {
  if (opened.seenAll || opened.pane !== "diff") return opened;
  const seenAll = opened.scroll + paneRows(size) >= bodyRows(opened, size.columns, PLAIN).length;
  return { ...opened, seenAll };
}

/** The whole screen: exactly `rows` rows of at most `columns` cells. */
export function draw(review: Review, { columns, rows }: Size, c: Colour): string[] {
  if (columns < MIN_COLUMNS || rows < MIN_ROWS) {
    return Array.from({ length: rows }, (_, i) => i === 0 ? "too small".slice(0, columns) : "");
  }
  const size = { columns, rows };
  const top = review.opened === null ? listHead(review, c) : openedHead(review.opened, columns, c);
  const body = review.opened === null
    ? listBody(review, size, c)
    : bodyRows(review.opened, columns, c).slice(review.opened.scroll, review.opened.scroll + paneRows(size));
  const filled = [...top.map((line) => firstRow(line, columns)), ...body];
  while (filled.length < rows - 2) filled.push("");
  return [
    ...filled.slice(0, rows - 2),
    firstRow(statusLine(review, size, c), columns),
    firstRow(c.dim(keysLine(review)), columns),
  ];
}

/** Rows of the list. */
function listRows({ rows }: Size): number {
  return rows - 4;
}

const HEAD_ROWS = 6;

/** Rows of a pane. */
function paneRows({ rows }: Size): number {
  return Math.max(1, rows - 2 - HEAD_ROWS);
}

function listHead({ items, as }: Review, c: Colour): string[] {
  const who = as === null ? "only looking" : `as ${printableLine(as)}`;
  const waits = items.length === 0
    ? "no proposal waits for a decision"
    : `${count(items.length, "proposal")} ${items.length === 1 ? "waits" : "wait"} for a decision`;
  return [`${c.bold("pp review")}  ${waits}  ${c.dim(who)}`, ""];
}

function listBody({ items, selected }: Review, size: Size, c: Colour): string[] {
  const height = listRows(size);
  const first = Math.max(0, Math.min(selected - Math.floor(height / 2), items.length - height));
  return items.slice(first, first + height).map((item, i) => {
    const { proposal, revision } = item.summary;
    const name = revisionName(revision).padEnd(8);
    const here = first + i === selected;
    const line = `${here ? ">" : " "} ${here ? c.bold(name) : name}${
      marksText(item.summary, item.state, c)
    } ${proposal.artifact}@${revision.baseVersion}  ${c.green(`+${revision.additions}`)} ${
      c.red(`-${revision.deletions}`)
    }  ${printableLine(revision.actor)}  ${printableLine(proposal.title)}`;
    return firstRow(line, size.columns);
  });
}

function openedHead(opened: Opened, columns: number, c: Colour): string[] {
  const { view, pane } = opened;
  const { proposal, revision } = view;
  const mark = `${view.forced ? `  ${c.red(c.bold(FORCED))}` : ""}${inUseMark(view, c)}`;
  const tabs = PANES.map((name, i) =>
    name === pane ? c.bold(`[${i + 1} ${name}]`) : c.dim(` ${i + 1} ${name} `)
  );
  return [
    `${c.bold(view.name)}  ${
      stateText(view.state, c)
    }${mark}  ${proposal.artifact}@${revision.baseVersion}  ${c.green(`+${revision.additions}`)} ${
      c.red(`-${revision.deletions}`)
    }  ${printableLine(revision.actor)}`,
    printableLine(proposal.title),
    `evidence  ${revision.evidence ?? "none"}`,
    view.damage === null ? standingLine(view, c) : c.red(`damaged   ${view.damage.message}`),
    tabs.join(" "),
    c.dim("─".repeat(columns)),
  ];
}

/** All rows of a pane. */
function bodyRows({ view, patch, pane }: Opened, columns: number, c: Colour): string[] {
  const lines = {
    diff: () => colourDiff(patch.replace(/\n$/, ""), c).split("\n"),
    findings: () => {
      const rest = view.checks.filter(({ row }) => row.kind !== "proof");
      return checkLines(rest, ALL_FINDINGS, c);
    },
    tests: () => {
      const proof = view.checks.filter(({ row }) => row.kind === "proof");
      return proof.length === 0 ? [c.dim("nothing was run")] : checkLines(proof, ALL_FINDINGS, c);
    },
    facts: () => [...headLines(view, c), "", ...fileLines(view, c), "", ...decisionLines(view, c)],
  }[pane]();
  return lines.flatMap((line) => rowsOf(line, columns));
}

function statusLine(review: Review, size: Size, c: Colour): string {
  const { question, opened, as, message } = review;
  if (question?.kind === "approve") {
    const unseen = opened!.seenAll ? "" : "you have not seen the end of the diff; ";
    return c.yellow(`${unseen}approve ${opened!.view.name} as ${printableLine(as!)}? y/n`);
  }
  if (message !== "") return c.yellow(printableLine(message));
  if (question?.kind === "reject") {
    // The end of what is typed is what must be seen.
    const label = `why reject ${opened!.view.name}? `;
    const typed = printableLine(question.reason);
    const room = Math.max(1, size.columns - label.length - 1);
    return `${c.yellow(label)}${[...typed].slice(-room).join("")}_`;
  }
  if (opened === null) return "";
  const all = bodyRows(opened, size.columns, PLAIN).length;
  const to = Math.min(all, opened.scroll + paneRows(size));
  return c.dim(`${opened.pane}: rows ${Math.min(all, opened.scroll + 1)} to ${to} of ${all}`);
}

function keysLine({ question, opened }: Review): string {
  if (question?.kind === "approve") return "y approve   any other key stops";
  if (question?.kind === "reject") return "Enter reject   Esc stop";
  if (opened === null) return "↑↓ choose   Enter open   R reload   q quit";
  return "a approve   r reject   1-4 Tab pane   ↑↓ Space b scroll   q back   ^C quit";
}
