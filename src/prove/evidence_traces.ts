import { type Mention, RANK } from "./evidence_mention.ts";
import { placeIn } from "./evidence_diagnostics.ts";

const PYTHON_FRAME = /^(?:E {2,})?[\s|+]*File "([^"]{1,512})", line (\d{1,8})/;
const PYTEST_FRAME = /^([^\s:][^:]{0,511}\.py):(\d{1,8}): (?:in .*|)$/;
const PYTEST_RAISED = /^([^\s:][^:]{0,511}\.py):(\d{1,8}): ([A-Za-z_][\w.]{0,200})$/;
const PYTEST_SECTION = /^(?:_{3,} .* _{3,}|={3,}.*)$/;
const JAVA_FRAME = /^\s*at (\S{1,300})\(([\w$-]{1,100}\.(?:java|kt|scala|groovy)):(\d{1,8})\)/;
const JAVA_LIBRARY =
  /^(?:java|javax|jdk|sun|kotlin|scala|org\.(?:junit|gradle|testng|apache\.maven|opentest4j))\./;
const STACK_LINE = /^\s*(?:at|❯) |\(file:\/\/|^\t\/\S+\.go:\d|^\s+from \S+:\d/;
const STACK_END = /^\s*(?:\.\.\.|---)?\s*$|^Caused by:|^goroutine \d/;
const MAX_FRAMES = 200;
/** A call or a field that only looks like a message. */
const NO_ERROR = /^\S+\(.*\)$|^\s*(?:name|code|failureType|operator): |\|-?$/;
const NAMED_ERROR =
  /^\s*(?:error: |Caused by: |Exception in |Uncaught )?[\w.$" ]{0,200}(?:Error|Exception)\b/;
const ERROR_LINE = /\b\w*(?:error|exception|panic(?:ked)?|fail(?:ed|ure)?|assert\w*)\b/i;

interface Frame {
  readonly path: string;
  readonly line: number;
  readonly column?: number | undefined;
}

/**
 * Reads stack traces line by line. Of each trace the innermost frame inside the workspace is where it failed,
 * whichever end of the trace that is.
 */
export class Traces {
  #traceback: Frame[] = [];
  #pytest: Frame[] = [];
  #pytestError: string | undefined;
  #inStack = false;
  #lastError: string | undefined;
  #lastIsNamed = false;

  /** @param add takes a mention, answers whether it is inside the workspace */
  constructor(
    private readonly add: (mention: Mention) => boolean,
    private readonly inside: (path: string) => boolean,
  ) {}

  /** Whether the line was part of a trace, and so is spent. */
  read(line: string): boolean {
    const python = PYTHON_FRAME.exec(line);
    if (python !== null) {
      this.#keep(this.#traceback, { path: python[1]!, line: Number(python[2]) });
      return true;
    }
    if (this.#traceback.length > 0 && /^[^\s|+]/.test(line)) {
      this.#innermostLast(this.#traceback, line);
      this.#traceback = [];
    }
    return this.#pytestLine(line) || this.#stackLine(line);
  }

  end(): void {
    this.#innermostLast(this.#traceback, undefined);
    this.#innermostLast(this.#pytest, this.#pytestError);
  }

  #pytestLine(line: string): boolean {
    if (PYTEST_SECTION.test(line)) {
      this.#innermostLast(this.#pytest, this.#pytestError);
      this.#pytest = [];
      this.#pytestError = undefined;
      return false;
    }
    if (/^E {2,}\S/.test(line)) {
      this.#pytestError ??= line.slice(1).trim();
      return true;
    }
    const frame = PYTEST_FRAME.exec(line);
    if (frame !== null) {
      this.#keep(this.#pytest, { path: frame[1]!, line: Number(frame[2]) });
      return true;
    }
    const raised = PYTEST_RAISED.exec(line);
    if (raised === null) return false;
    this.#keep(this.#pytest, { path: raised[1]!, line: Number(raised[2]) });
    this.#innermostLast(this.#pytest, this.#pytestError ?? raised[3]);
    this.#pytest = [];
    this.#pytestError = undefined;
    return true;
  }

  #stackLine(line: string): boolean {
    if (STACK_END.test(line)) this.#inStack = false;
    const java = JAVA_FRAME.exec(line);
    const frame = java !== null ? javaFrame(java) : STACK_LINE.test(line) ? placeIn(line) : null;
    if (frame === null) {
      if (!STACK_LINE.test(line)) this.#remember(line);
      return java !== null;
    }
    const first = !this.#inStack;
    const added = this.add({
      ...frame,
      rank: first ? RANK.failure : RANK.frame,
      message: first ? this.#lastError : undefined,
    });
    if (added) this.#inStack = true;
    if (added && first) {
      this.#lastError = undefined;
      this.#lastIsNamed = false;
    }
    return true;
  }

  /** Source text below a named error must not take its place. */
  #remember(line: string): void {
    if (NO_ERROR.test(line) || !ERROR_LINE.test(line)) return;
    const named = NAMED_ERROR.test(line);
    if (!named && this.#lastIsNamed) return;
    this.#lastError = line;
    this.#lastIsNamed = named;
  }

  #keep(frames: Frame[], frame: Frame): void {
    if (!this.inside(frame.path)) return;
    if (frames.length >= MAX_FRAMES) frames.shift();
    frames.push(frame);
  }

  #innermostLast(frames: readonly Frame[], message: string | undefined): void {
    for (const [i, frame] of frames.toReversed().entries()) {
      this.add({
        ...frame,
        rank: i === 0 ? RANK.failure : RANK.frame,
        message: i === 0 ? message : undefined,
      });
    }
  }
}

/** `at com.acme.Cart$Line.price(Cart.java:11)` as com/acme/Cart.java, which the workspace may hold below a source root. */
function javaFrame(match: RegExpExecArray): Frame | null {
  const method = match[1]!.slice(match[1]!.lastIndexOf("/") + 1);
  if (JAVA_LIBRARY.test(method)) return null;
  const packages = method.split(".").slice(0, -2);
  return { path: [...packages, match[2]!].join("/"), line: Number(match[3]) };
}
