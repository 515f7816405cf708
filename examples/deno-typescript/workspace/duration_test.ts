import { strictEqual } from "node:assert/strict";
import { parse, totalMinutes } from "./duration.ts";

Deno.test("parse: hours and minutes", () => {
  strictEqual(totalMinutes(parse("2h05m")), 125);
});
