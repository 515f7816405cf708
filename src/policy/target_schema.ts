import { z } from "zod";
import { STDOUT } from "../vocabulary/test_report.ts";
import { checkArgv, MAX_ARGV_WORDS, targetFromCommand } from "./commands.ts";
import { MAX_REPORT_PATH, reportSource } from "./report.ts";
import { MAX_COMMAND_LENGTH } from "./shell_words.ts";

/** A command line, as `cmd` of a target and `allowed_commands` have it. */
export const commandLine = z.string({ error: "expected a command as text; put quotes around it" })
  .max(MAX_COMMAND_LENGTH)
  .transform((cmd, context) => {
    const resolved = targetFromCommand("", cmd);
    if (resolved.ok) return resolved.target.command;
    context.addIssue({ code: "custom", message: resolved.refusal.detail });
    return z.NEVER;
  });

/** A program and its arguments. */
export const argv = z.array(z.string({ error: "expected text; put quotes around it" }), {
  error: "expected a list of words, such as [pytest, -q]",
})
  .superRefine((words, context) => {
    const refusal = checkArgv(words);
    if (refusal !== null) context.addIssue({ code: "custom", message: refusal.detail });
  })
  .meta({ minItems: 1, maxItems: MAX_ARGV_WORDS });

const targetName = z.union([
  z.string().max(100, { error: "must have at most 100 characters" })
    .refine((name) => name.isWellFormed() && !/[\p{Cc}/\\]/u.test(name) && !/^\.{1,2}$/.test(name), {
      error: "cannot contain / or \\ or control characters",
    })
    .refine((name) => name === name.trim(), { error: "cannot start or end with a blank" }),
  z.number().transform(String),
], { error: "expected text" });

export const reportShape = {
  format: z.enum(["junit", "tap"]).meta({ description: "JUnit XML, or TAP 13 or 14." }),
  path: z.string({ error: "expected a path as text" }).optional().meta({
    description: "File the command writes, relative to the workspace; - is its stdout, the default for tap.",
    maxLength: MAX_REPORT_PATH,
  }),
};

const report = z.strictObject(reportShape, {
  error: "expected a report, such as {format: junit, path: report.xml}",
}).transform(({ format, path }, context) => {
  const read = reportSource(format, path);
  if (read.ok) return read.report;
  context.addIssue({ code: "custom", path: ["path"], message: read.detail });
  return z.NEVER;
});

export const targetShape = {
  name: targetName.nullish().meta({ description: "Unique name; target-1, target-2 … when left out." }),
  cmd: commandLine.optional().meta({
    description: "A command line. Split as a POSIX shell would; run under sh -c only if it has shell syntax.",
  }),
  argv: argv.optional().meta({ description: "The program and its arguments, run with no shell." }),
  report: report.optional().meta({
    description: "Machine-readable test report: green then also means that tests ran and none lost its say.",
  }),
};

const target = z.strictObject(targetShape, {
  error: "expected a target, such as {name: unit, cmd: pytest -q}",
})
  .refine(({ cmd, argv }) => (cmd === undefined) !== (argv === undefined), {
    error: "must have exactly one of cmd and argv",
    when: ({ value }) => typeof value === "object" && value !== null && !Array.isArray(value),
  })
  .meta({ oneOf: [{ required: ["cmd"] }, { required: ["argv"] }] });

/** The targets of a policy, each with a name. */
export const targets = z.array(target, { error: "expected a list of targets" })
  .max(200, { error: "must have at most 200 targets" })
  .superRefine((list, context) => {
    const seen = new Map<string, string>();
    const reports = new Set<string>();
    list.forEach((entry, i) => {
      const path = entry?.report?.path?.toLowerCase() ?? STDOUT;
      if (path !== STDOUT && reports.has(path)) {
        const message =
          "another target writes its report there; a report of the one could pass for the other's";
        context.addIssue({ code: "custom", path: [i, "report", "path"], message });
      }
      reports.add(path);
      const name = nameOf(entry, i);
      if (typeof name !== "string") return;
      const key = name.normalize("NFC").toLowerCase();
      const other = seen.get(key);
      seen.set(key, other ?? name);
      if (other === undefined) return;
      context.addIssue({
        code: "custom",
        path: [i, "name"],
        message: `there is already a target ${JSON.stringify(other)}; upper and lower case count as the same`,
      });
    });
  }, { when: ({ value }) => Array.isArray(value) })
  .nullish()
  .meta({ default: [] })
  .transform((list) => (list ?? []).map((entry, i) => ({ ...entry, name: nameOf(entry, i) })));

/** A target's own name or the one its place gives it; tolerant, as it also sees entries that were refused. */
function nameOf(entry: { readonly name?: string | null | undefined } | null | undefined, at: number): string {
  const name = entry?.name;
  return name === undefined || name === null || name === "" ? `target-${at + 1}` : name;
}
