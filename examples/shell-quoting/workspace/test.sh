#!/bin/sh
set -eu
place=$(mktemp -d)
mkdir "$place/in"
echo one > "$place/in/plain.txt"
echo two > "$place/in/with space.txt"
sh ./backup.sh "$place/in" "$place/out"
test "$(cat "$place/out/with space.txt")" = two
test "$(cat "$place/out/plain.txt")" = one
echo ok
