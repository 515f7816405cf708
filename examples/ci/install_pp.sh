#!/bin/sh
# Fetches pp and puts it into a folder, if it is exactly the file you say; else nothing is there and the exit is 1.
#
#   install_pp.sh URL SHA256 [FOLDER]
#
# URL     https://…/pp-portable-linux-x64 of a release or of a mirror of yours, or a path
# SHA256  its digest, from a SHA256SUMS that you verified (pp verify-attestation proof.ppb, see README.md)
# FOLDER  where it goes, as pp; ~/.local/bin unless given
set -eu

[ $# -ge 2 ] && [ $# -le 3 ] || { echo "usage: install_pp.sh URL SHA256 [FOLDER]" >&2; exit 64; }
url=$1 wanted=$2 folder=${3:-$HOME/.local/bin}

mkdir -p "$folder"
work=$(mktemp -d "$folder/.pp.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

case $url in
  https://* | http://*)
    if command -v curl > /dev/null; then curl -fsSL --retry 3 -o "$work/pp" "$url"
    else wget -q -O "$work/pp" "$url"; fi ;;
  *) cp "$url" "$work/pp" ;;
esac
if command -v sha256sum > /dev/null; then got=$(sha256sum < "$work/pp"); else got=$(shasum -a 256 < "$work/pp"); fi
got=${got%% *}
[ "$got" = "$wanted" ] || { echo "install_pp: $url has the digest $got, not $wanted" >&2; exit 1; }
chmod 755 "$work/pp"
mv -f "$work/pp" "$folder/pp"
echo "install_pp: $folder/pp, $wanted"
