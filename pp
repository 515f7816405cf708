#!/bin/sh
# Runs veripatch from its checkout, with deno from PATH or else from npm.
here=$(dirname "$(readlink -f "$0")")
if command -v deno >/dev/null 2>&1; then deno=deno; else deno="npx -y deno@2.9.6"; fi
# shellcheck disable=SC2086 -- two words on purpose
exec $deno run --quiet -A --config "$here/deno.json" "$here/main.ts" "$@"
