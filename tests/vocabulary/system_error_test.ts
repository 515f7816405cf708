import assert from "node:assert/strict";
import { refusalKind } from "../../src/vocabulary/system_error.ts";

const failing = (code: string) => Object.assign(new Error(code), { code });

Deno.test("refusalKind: what nobody, or this user, may do is denied; all else is not there", () => {
  for (const code of ["EACCES", "EPERM", "EROFS"]) assert.equal(refusalKind(failing(code)), "denied", code);
  assert.equal(refusalKind(new Deno.errors.PermissionDenied("no")), "denied");
  for (const code of ["ENOSPC", "EDQUOT", "EIO", "ENOENT", "EMFILE", "EFBIG"]) {
    assert.equal(refusalKind(failing(code)), "unavailable", code);
  }
  for (const other of [null, undefined, "text", new Error("x")]) {
    assert.equal(refusalKind(other), "unavailable");
  }
});
