#!/bin/sh
# Publishes the proof of a commit where gate.sh finds it: as one blob under refs/proofs/<commit>.
#
#   publish_proof.sh BUNDLE [COMMIT]
#
# BUNDLE  what `pp prove --sign` wrote: its folder or a .ppb file
# COMMIT  the commit that makes exactly its final.patch; HEAD unless given
set -eu

[ $# -ge 1 ] && [ $# -le 2 ] || { echo "usage: publish_proof.sh BUNDLE [COMMIT]" >&2; exit 64; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

commit=$(git rev-parse --verify --end-of-options "${2:-HEAD}^{commit}")
packed=$1
if [ -d "$1" ]; then
  packed=$work/proof.ppb
  ${PP:-pp} bundle pack "$1" -o "$packed"
fi
blob=$(git hash-object -w --no-filters -- "$packed")
git update-ref "refs/proofs/$commit" "$blob"
git push --quiet "${PP_REMOTE:-origin}" "+refs/proofs/$commit:refs/proofs/$commit"
echo "published the proof of $commit"
