/** Runs clean-up on SIGINT and SIGTERM, then exits 130. */
export function onSignal(cleanUp: () => Promise<void>): void {
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => {
      cleanUp().finally(() => Deno.exit(130));
    });
  }
}
