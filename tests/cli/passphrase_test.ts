import assert from "node:assert/strict";
import { withTerminal } from "./terminal.ts";
import { withFolder } from "./process.ts";

const ENDED = /EXIT:\d+/;

Deno.test("--passphrase: asked for twice on a terminal and never shown; an encrypted key asks by itself", async () => {
  await withFolder({}, async (cwd) => {
    const keygen = ["keygen", "-o", "ci", "--passphrase"];
    await withTerminal({ args: keygen, cwd, columns: 100 }, async (terminal) => {
      await terminal.until(/passphrase for the new key:/);
      await terminal.keys("x", "C-u", "h", "u", "n", "t", "e", "e", "BSpace", "r", "2", "2", "Enter");
      await terminal.until(/the same again:/);
      await terminal.keys("h", "u", "n", "t", "e", "r", "2", "2", "Enter");
      const screen = await terminal.until(ENDED);
      assert.match(screen, /ci\.key\.pem \(encrypted\)[^]*EXIT:0/);
      assert.doesNotMatch(screen, /hunt|\*\*/);
    });
    const opened = new Deno.Command("openssl", {
      args: ["pkey", "-in", "ci.key.pem", "-passin", "pass:hunter22", "-noout"],
      cwd,
    });
    assert.equal((await opened.output()).success, true);
    await withTerminal({ args: ["key", "show", "ci.key.pem"], cwd, columns: 100 }, async (terminal) => {
      await terminal.until(/passphrase of ci\.key\.pem:/);
      await terminal.keys("h", "u", "n", "t", "e", "r", "2", "2", "Enter");
      assert.match(await terminal.until(ENDED), /Ed25519 private key, encrypted[^]*EXIT:0/);
    });
    await withTerminal({ args: ["key", "show", "ci.key.pem"], cwd, columns: 100 }, async (terminal) => {
      await terminal.until(/passphrase of ci\.key\.pem:/);
      await terminal.keys("h", "C-c");
      assert.match(await terminal.until(ENDED), /EXIT:130/);
    });
  });
});
