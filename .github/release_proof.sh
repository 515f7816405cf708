#!/bin/sh
# Proves the checksums of a release: the base is the released files and check.sh, the patch is SHA256SUMS, and check.sh
# is red without it and green with it. The signed bundle lists the digest of every file of the base, so it vouches for
# the files, too. To replay it: put pp-* and check.sh of the release into a folder of their own, and nothing else;
# `pp replay ../proof.ppb --key release.pub.pem --image debian:12-slim` there.
#
#   release_proof.sh RELEASE IMAGE KEY PROOF
#
# RELEASE  folder with the files (pp-…), check.sh and SHA256SUMS
# IMAGE    container image with sh and sha256sum
# KEY      the key to sign with: a file or env:NAME
# PROOF    the .ppb file to write
# PP       the program; pp unless set
set -eu

[ $# -eq 4 ] || { echo "usage: release_proof.sh RELEASE IMAGE KEY PROOF" >&2; exit 64; }
release=$(realpath "$1") image=$2 key=$3 proof=$(realpath "$(dirname "$4")")/${4##*/}
case $key in env:*) ;; *) key=$(realpath "$key") ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

mkdir "$work/base"
cp "$release"/pp-* "$release/check.sh" "$work/base"
lines=$(wc -l < "$release/SHA256SUMS")
{
  printf 'diff --git a/SHA256SUMS b/SHA256SUMS\nnew file mode 100644\n--- /dev/null\n+++ b/SHA256SUMS\n'
  echo "@@ -0,0 +1,$((lines)) @@"
  sed 's/^/+/' "$release/SHA256SUMS"
} > "$work/checksums.diff"

cd "$work/base"
# Not quoted: PP may be a program with its first words.
${PP:-pp} run "sh check.sh" --patch ../checksums.diff --image "$image" --sign "$key" --artifacts "$work/artifacts"
${PP:-pp} bundle pack "$work"/artifacts/* -o "$proof"
