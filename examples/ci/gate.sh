#!/bin/sh
# Keeps out every change that lacks its proof. Exit 0 lets it in; anything else keeps it out.
#
#   gate.sh HEAD BASE [BUNDLE]
#
# HEAD    the change: a branch or a commit
# BASE    the branch it goes into
# BUNDLE  the signed proof of it: a .ppb file or a folder. Without it, the proof is taken from the git reference
#         refs/proofs/<commit of HEAD> of the remote, where publish_proof.sh puts it.
#
# PP_TRUST    trust file that says whose proofs count (pp trust init); no change may be able to touch it
# PP_MAX_AGE  how old a proof may be; 30d unless set
# PP_REPLAY   "here" to run the proof again in a container of ours, or the file with somebody's signed replay
# PP_REPORTS  folder for gate.md, gate.sarif and gate.xml
# PP_REPO     working tree or bare repository with the whole history of both; here unless set
# PP_REMOTE   where proofs are fetched from; origin unless set; empty where they are already, as on a server
# PP          the program; pp unless set
set -eu

[ $# -ge 2 ] && [ $# -le 3 ] || { echo "usage: gate.sh HEAD BASE [BUNDLE]" >&2; exit 64; }
: "${PP_TRUST:?names the trust file}"
head=$1 base=$2 repo=${PP_REPO:-.}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

if [ $# -eq 3 ]; then
  bundle=$3
else
  bundle=$work/proof.ppb
  commit=$(git -C "$repo" rev-parse --verify --quiet --end-of-options "$head^{commit}") || {
    echo "gate: there is no commit $head" >&2
    exit 64
  }
  remote=${PP_REMOTE-origin}
  {
    [ -z "$remote" ] || git -C "$repo" fetch --quiet --no-tags --no-write-fetch-head "$remote" \
      "+refs/proofs/$commit:refs/proofs/$commit"
  } && git -C "$repo" cat-file blob "refs/proofs/$commit" > "$bundle" || {
    echo "gate: closed, nobody published a proof of $commit" >&2
    exit 2
  }
fi

set -- "$bundle" --base "$base" --head "$head" --repo "$repo" --trust "$PP_TRUST" --max-age "${PP_MAX_AGE:-30d}"
case ${PP_REPLAY:-} in
  '') ;;
  here) set -- "$@" --require-replay ;;
  *) set -- "$@" "--require-replay=$PP_REPLAY" ;;
esac
if [ -n "${PP_REPORTS:-}" ]; then
  mkdir -p "$PP_REPORTS"
  set -- "$@" -o "$PP_REPORTS/gate.md" -o "$PP_REPORTS/gate.sarif" -o "$PP_REPORTS/gate.xml"
fi

# Not quoted: PP may be a program with its first words.
${PP:-pp} gate "$@"
