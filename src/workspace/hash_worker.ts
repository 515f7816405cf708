import { createHash, type Hash } from "node:crypto";
import { SHA256_BYTES } from "../vocabulary/digest.ts";
import type { HashAnswer, HashJob } from "./hashing.ts";

/** The thread `Hashing` works on: digests pieces of shared chunks in the order they come. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<HashJob>) => void;
  postMessage(message: HashAnswer | "ready"): void;
};

let running: Hash | null = null;

scope.onmessage = ({ data: { slot, memory, pieces } }) => {
  const bytes = new Uint8Array(memory);
  const digests = new Uint8Array(pieces.length * SHA256_BYTES);
  let ended = 0;
  for (const [offset, length, last] of pieces) {
    running ??= createHash("sha256");
    running.update(bytes.subarray(offset, offset + length));
    if (!last) continue;
    digests.set(running.digest(), ended++ * SHA256_BYTES);
    running = null;
  }
  scope.postMessage({ slot, digests });
};
scope.postMessage("ready");
