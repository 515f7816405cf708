import { createHash, type Hash } from "node:crypto";
import type { HashJob } from "./hashing.ts";

/** The thread `Hashing` works on: digests pieces of shared chunks in the order they come. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<HashJob>) => void;
  postMessage(message: unknown): void;
};

let running: Hash | null = null;

scope.onmessage = ({ data: { slot, memory, pieces } }) => {
  const bytes = new Uint8Array(memory);
  const digests: string[] = [];
  for (const [offset, length, last] of pieces) {
    running ??= createHash("sha256");
    running.update(bytes.subarray(offset, offset + length));
    if (!last) continue;
    digests.push(running.digest("hex"));
    running = null;
  }
  scope.postMessage({ slot, digests });
};
scope.postMessage("ready");
