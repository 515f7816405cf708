import type { Operation } from "../store/operations.ts";
import type { Rows } from "../store/store.ts";
import { Failure } from "../vocabulary/failure.ts";
import { parseRelativePath, type RelativePath } from "../vocabulary/path.ts";
import {
  atLeast,
  checked,
  count,
  digestShape,
  exactly,
  listOf,
  matching,
  nullable,
  oneOf,
  type Shape,
  text,
  where,
} from "../vocabulary/shape.ts";
import { parseStrictJson } from "../vocabulary/strict_json.ts";
import type { Exchange } from "../workspace/target.ts";

/** Of the directories that come and go with one operation, in members and items. */
const MAX_DIRECTORY_VALUES = 4_000_000;

const inside = where(text(), (path) => parseRelativePath(path).ok, "never written") as Shape<RelativePath>;
const after = { mode: oneOf("100644", "100755"), size: count, sha256: digestShape };
const attributes = {
  permissions: where(count, (bits) => bits <= 0o7777, "no permission bits"),
  uid: count,
  gid: count,
};
const pathShape = where(
  // Beside them a row names its operation.
  atLeast({
    position: count,
    path: inside,
    stageIn: text(),
    before: nullable(exactly({ ...after, ...attributes })),
    after: nullable(exactly(after)),
  }),
  ({ path, stageIn }) => stageIn === "" || path.startsWith(`${stageIn}/`),
  "staged elsewhere",
);
const directoryShape = exactly({
  path: inside,
  change: oneOf("made", "removed"),
  attributes: nullable(exactly(attributes)),
});
const exchangeShape = exactly({
  staging: matching(/^[0-9a-f]{16}$/, "no staging id"),
  // The place in the list is part of a path's temporary names.
  paths: where(
    listOf(pathShape),
    (paths) => paths.every(({ position }, i) => position === i),
    "a path is missing",
  ),
  directories: listOf(directoryShape),
});

/**
 * What an operation needs to be finished or taken back, as it was written down.
 * @throws Failure `operation_corrupt` (malformed): what no operation of ours ever had, such as a path outside
 */
export function exchangeOf(rows: Rows, { number, staging, directories }: Operation): Exchange {
  const json = parseStrictJson(new TextEncoder().encode(directories), 4, MAX_DIRECTORY_VALUES);
  if (!json.ok) throw corrupt(number, `directories: ${json.detail}`);
  const written = { staging, paths: rows.operationPaths(number), directories: json.value };
  const read = checked(exchangeShape, written);
  if (!read.ok) throw corrupt(number, `${read.at}: ${read.what}`);
  return read.value;
}

function corrupt(number: number, detail: string): Failure {
  const what = `O${number} in the store is not what was written down`;
  return new Failure("malformed", "operation_corrupt", what, {
    details: [detail],
    hint: "nothing was written; pp events --verify says what was changed in the store, " +
      `pp history abandon O${number} --force --reason TEXT gives it up`,
  });
}
