#!/bin/sh
# veripatch @VERSION@, started from this folder, which only root can write to: how the container image runs it.
here=$(dirname "$(readlink -f "$0")")
unset PP_OUTER_DENO_DIR PP_OUTER_DENO_NO_UPDATE_CHECK
[ -z "${DENO_DIR+set}" ] || export PP_OUTER_DENO_DIR="$DENO_DIR"
[ -z "${DENO_NO_UPDATE_CHECK+set}" ] || export PP_OUTER_DENO_NO_UPDATE_CHECK="$DENO_NO_UPDATE_CHECK"
# A folder that cannot be made: nothing is kept between starts.
export DENO_DIR=/proc/none DENO_NO_UPDATE_CHECK=1
exec "$here/deno" run --quiet --no-config --no-lock --no-remote --no-npm --no-code-cache \
  @FLAGS@ "$here/portable.js" "$@"
