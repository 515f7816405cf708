#!/bin/sh
# Gathers what builds made into one folder with one list of checksums.
#
#   release_files.sh RELEASE PORTABLE TAG
#
# RELEASE   folder with pp-<target> and pp-<target>.cdx.json; all files end up here
# PORTABLE  the same of `--portable`; they get the name pp-portable-<target>
# TAG       v and the version that the files have to be of
set -eu

[ $# -eq 3 ] || { echo "usage: release_files.sh RELEASE PORTABLE TAG" >&2; exit 64; }
release=$1 portable=$2 tag=$3
here=$(dirname "$(realpath "$0")")

for file in "$portable"/pp-*; do
  cp -p "$file" "$release/pp-portable-${file##*/pp-}"
done
cd "$release"
for file in pp-*; do
  case $file in
    *.cdx.json) version=$(jq -r .metadata.component.version "$file") ;;
    *) [ -s "$file" ] && [ -s "$file.cdx.json" ] || { echo "$file or its list is not there" >&2; exit 1; }; continue ;;
  esac
  [ "v$version" = "$tag" ] || { echo "$file says version $version, the tag is $tag" >&2; exit 1; }
done
cp "$here/check.sh" check.sh
LC_ALL=C sha256sum pp-* > SHA256SUMS
