import assert from "node:assert/strict";
import { noAnswer, probeDocker } from "../../../src/sandbox/docker/connect.ts";

Deno.test("noAnswer: says in words why a socket does not answer, and anything else as it is", () => {
  assert.equal(noAnswer("connect ENOENT /var/run/docker.sock"), "not there");
  assert.equal(noAnswer("connect ECONNREFUSED /var/run/docker.sock"), "nothing listens there");
  assert.equal(noAnswer("connect EACCES /var/run/docker.sock"), "this user may not use it");
  assert.equal(noAnswer("socket hang up"), "socket hang up");
});

Deno.test("probeDocker: a socket that is not there is one line, without a hint of its own", async () => {
  const host = "unix:///nowhere/docker.sock";
  assert.deepEqual(await probeDocker({ DOCKER_HOST: host }, "docker"), {
    reachable: false,
    host,
    error: `${host}: not there`,
  });
});
