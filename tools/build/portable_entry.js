// What the launcher set for the runtime alone is put back before anything of ours runs: programs that pp starts, a
// proposer in Deno for one, see the environment that pp was called with.
for (const name of ["DENO_DIR", "DENO_NO_UPDATE_CHECK"]) {
  const outer = Deno.env.get(`PP_OUTER_${name}`);
  Deno.env.delete(`PP_OUTER_${name}`);
  if (outer === undefined) Deno.env.delete(name);
  else Deno.env.set(name, outer);
}

// Held until the process ends, and closed to programs that it starts: the launcher of another version leaves this one
// alone, however old it is. Where nothing was unpacked by a launcher there is none to lock.
if (import.meta.dirname.endsWith("/tree")) {
  try {
    Deno.openSync(`${import.meta.dirname}/../used`).lockSync(false);
  } catch {
    // A file system without locks: what was started in the last days is left alone all the same.
  }
}
