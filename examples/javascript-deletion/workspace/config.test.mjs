import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { config } from "./config.mjs";

test("the shipped configuration has no local override", () => {
  assert.equal(existsSync(new URL("./config/local.json", import.meta.url)), false);
  assert.equal(config().retries, 3);
});
