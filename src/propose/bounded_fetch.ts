/** A body went past the limit. */
export class AnswerTooLarge extends Error {}

const MAX_ERROR_BODY_BYTES = 64 * 1024;

export interface BoundedFetchOptions {
  /** Sent as bearer token; no Authorization header when null. */
  readonly key: string | null;
  readonly maxBytes: number;
  /** Ends the request and the reading of its body. */
  readonly deadline: AbortSignal;
}

/**
 * A `fetch` for a client library that decides what leaves and what comes in: only four headers are sent, whatever
 * the library or its environment variables add; a redirect is not followed, so that the key reaches no other
 * host (the 3xx response is handed back); a body past the limit breaks with AnswerTooLarge, the body of an error
 * response is cut.
 */
export function boundedFetch(options: BoundedFetchOptions): typeof fetch {
  return async (input, init) => {
    const signals = [options.deadline, ...(init?.signal ? [init.signal] : [])];
    const response = await fetch(input, {
      method: init?.method ?? "GET",
      body: init?.body ?? null,
      headers: {
        "accept": "application/json",
        "content-type": "application/json",
        "user-agent": "veripatch",
        ...(options.key === null ? {} : { authorization: `Bearer ${options.key}` }),
      },
      redirect: "manual",
      signal: AbortSignal.any(signals),
    });
    if (response.body === null) return response;
    const { status, statusText, headers } = response;
    const body = response.body.pipeThrough(
      response.ok ? failingAfter(options.maxBytes) : endingAfter(MAX_ERROR_BODY_BYTES),
    );
    return new Response(body, { status, statusText, headers });
  };
}

function failingAfter(limit: number): TransformStream<Uint8Array, Uint8Array> {
  let total = 0;
  return new TransformStream({
    transform(chunk, controller) {
      total += chunk.length;
      if (total > limit) controller.error(new AnswerTooLarge(`more than ${limit} bytes`));
      else controller.enqueue(chunk);
    },
  });
}

function endingAfter(limit: number): TransformStream<Uint8Array, Uint8Array> {
  let left = limit;
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) controller.terminate();
    },
  });
}
