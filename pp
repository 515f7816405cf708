#!/bin/sh
# Runs veripatch from its checkout, with deno from PATH or else from npm.
here=$(dirname "$(readlink -f "$0")")
if command -v deno >/dev/null 2>&1; then deno=deno; else deno="npx -y deno@2.9.6"; fi
# The small young generation keeps memory flat while a large workspace streams through.
# shellcheck disable=SC2086 -- the npx form is several words on purpose
exec $deno run --quiet -A --v8-flags=--max-semi-space-size=2 --config "$here/deno.json" "$here/main.ts" "$@"
