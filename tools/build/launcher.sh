#!/bin/sh
# veripatch @VERSION@ for @UNAME@: this script, and after it the runtime and the program as a compressed tar.
# The first start unpacks them into a folder that only this user can write; later starts run from there. Needs sh,
# coreutils, tar and gzip, nothing else.

id=@ID@
header_bytes=@HEADER_BYTES@
self=$0

# The caller's PATH may have none of the programs needed here, and is put back before the start.
outer_path=${PATH-}
PATH=/usr/bin:/bin:$outer_path

# Whether the owner $1 is root, who can change everything anyway. A user namespace shows owners that it does not have,
# root among them, as 65534; where all users are, that is one of them.
is_root() {
  [ "$1" = 0 ] || { [ "$1" = 65534 ] && read -r from to users </proc/self/uid_map && [ "$users" != 4294967295 ]; } 2>/dev/null
}

# Permissions and owner of folders: nobody but this user and root can change what the path $1 leads to. $1 has no
# links in it.
guarded() {
  way=$1
  set -- "$way"
  while [ "$way" != / ]; do
    way=${way%/*}
    [ -n "$way" ] || way=/
    set -- "$@" "$way"
  done
  facts=$(stat -c '%a %u %n' -- "$@" 2>/dev/null) || return 1
  while read -r mode owner path; do
    case $mode in
      '' | *[!0-7]*) return 1 ;;
      [1357]???) ;;
      *[2367] | *[2367]?) return 1 ;;
    esac
    is_root "$owner" || [ -O "$path" ] || return 1
  done <<FACTS
$facts
FACTS
}

# Every link on the way to $1 is this user's or root's: nobody else leads us to a folder of their choice.
own_links() {
  way=$1
  while [ -n "$way" ]; do
    if [ -L "$way" ]; then
      owner=$(stat -c %u -- "$way" 2>/dev/null) || return 1
      is_root "$owner" || [ "$owner" = "$(id -u)" ] || return 1
    fi
    way=${way%/*}
  done
}

# What tells whether files were changed since they were checked: permissions, owner, inode, size, time of last change.
facts_of() {
  TZ=UTC0 stat -c '%a %u %i %s %z' -- "$1/tree"@GLOBS@ 2>/dev/null
}

digests_hold() {
  ( cd "$1/tree" && [ "$(sha256sum <files.sha256)" = "$id  -" ] && sha256sum -c files.sha256 ) >/dev/null 2>&1
}

# Whether $1 is unpacked and as it was when its digests were checked. That it is used now is written down before facts
# are read: sweep hides facts before it looks at that, so that one of two who meet sees the other.
intact() {
  [ -x "$1/tree/deno" ] && [ -f "$1/facts" ] && [ ! -L "$1" ] && [ -O "$1" ] && [ -O "$1/facts" ] && guarded "$1" || return 1
  [ -L "$1/used" ] || { echo >"$1/used"; } 2>/dev/null
  facts=$(facts_of "$1")
  [ -n "$facts" ] && [ "$facts" = "$(cat "$1/facts" 2>/dev/null)" ] || return 1
  [ -z "${PP_PORTABLE_VERIFY-}" ] || digests_hold "$1"
}

launch() {
  home=$1
  shift
  unset PP_OUTER_DENO_DIR PP_OUTER_DENO_NO_UPDATE_CHECK
  [ -z "${DENO_DIR+set}" ] || export PP_OUTER_DENO_DIR="$DENO_DIR"
  [ -z "${DENO_NO_UPDATE_CHECK+set}" ] || export PP_OUTER_DENO_NO_UPDATE_CHECK="$DENO_NO_UPDATE_CHECK"
  PATH=$outer_path
  [ -n "$PATH" ] || unset PATH
  export DENO_DIR="$home/analysis" DENO_NO_UPDATE_CHECK=1
  # No code cache: it could not be checked, and it is run.
  exec "$home/tree/deno" run --quiet --no-config --no-lock --no-remote --no-npm --no-code-cache \
    @FLAGS@ "$home/tree/portable.js" "$@"
}

# Whether nobody has started the version $1 for @KEEP_DAYS@ days.
unused() {
  last=$(stat -c %Y -- "$1/used" 2>/dev/null) && [ $((now - last)) -gt $((@KEEP_DAYS@ * 86400)) ]
}

# Whether all that is in $1 has names that unpacking gives.
only_ours() {
  for inside in "$1"/* "$1"/.[!.]*; do
    case ${inside#"$1"/} in
      tree | analysis | facts | hidden-facts | used | old | '*' | '.[!.]*') ;;
      *) return 1 ;;
    esac
  done
}

# Removes versions in $1 that are not used any more, and what was left half done. Whoever calls holds the lock on 9. A
# version that runs has its `used` locked by the runtime, from before it is @KEEP_DAYS@ days old until the process ends.
sweep() {
  now=$(date +%s) && touch -d "@$((now + 86400))" -- "$1/swept" || return 0
  for left in "$1"/new.??????; do
    [ -d "$left" ] && [ ! -L "$left" ] && [ -O "$left" ] && only_ours "$left" && rm -rf -- "$left"
  done
  for old in "$1"/*; do
    name=${old##*/}
    case $name in "$id" | *[!0-9a-f]*) continue ;; esac
    [ ${#name} = 64 ] && [ -d "$old" ] && [ ! -L "$old" ] && [ -O "$old" ] && only_ours "$old" || continue
    [ -f "$old/used" ] && [ ! -L "$old/used" ] && [ "$(sha256sum <"$old/tree/files.sha256")" = "$name  -" ] || continue
    unused "$old" && remove "$1" "$old" 8<>"$old/used"
  done
  return 0
}

# Removes the version $2 of $1 unless it runs; 8 is open on its `used`.
remove() {
  flock -n 8 || return 0
  [ ! -e "$2/facts" ] || mv -T -- "$2/facts" "$2/hidden-facts" || return 0
  if unused "$2" && gone=$(mktemp -d "$1/new.XXXXXX"); then
    mv -T -- "$2" "$gone/old" && rm -rf -- "$gone"
  else
    mv -T -- "$2/hidden-facts" "$2/facts"
  fi
}

# Unpacks into $1/$id; 9 is open on a file to lock. Says on stdout why not.
install_into() {
  base=$1
  if command -v flock >/dev/null 2>&1 && flock -w 300 9; then
    intact "$base/$id" && return 0
    sweep "$base" >/dev/null 2>&1
  fi
  new=$(mktemp -d "$base/new.XXXXXX" 2>&1) || { echo "${new##*: }"; return 1; }
  trap 'rm -rf "$new"; exit 130' HUP INT TERM
  mkdir "$new/tree" "$new/analysis"
  errors=$({ tail -c +$((header_bytes + 1)) -- "$self" | gzip -dc | tar -xf - -C "$new/tree"; } 2>&1)
  if ! digests_hold "$new"; then
    why=$(echo "$errors" | grep -i -m 1 'space\|quota\|too large')
    why=${why##*: }
    echo "${why:-what came out of $self is not what was put into it: the file is damaged}"
  elif ! errors=$("$new/tree/deno" --version 2>&1 </dev/null); then
    echo "the runtime does not start there: ${errors##*: }"
  elif ! { facts_of "$new" >"$new/facts" && echo >"$new/used"; } 2>/dev/null; then
    echo "cannot write there"
  else
    # What was there is damaged, or not ours to trust.
    [ ! -e "$base/$id" ] && [ ! -L "$base/$id" ] || mv -T -- "$base/$id" "$new/old"
    if mv -T -- "$new" "$base/$id" 2>/dev/null || intact "$base/$id"; then
      rm -rf "$new" "$base/$id/old"
      trap - HUP INT TERM
      return 0
    fi
    echo "cannot rename there"
  fi
  rm -rf "$new"
  trap - HUP INT TERM
  return 1
}

# Makes the folder $1 and unpacks there. Says on stdout why not.
prepare() {
  umask 077
  own_links "$1" || { echo "it is reached through a link that somebody else made"; return 1; }
  near=$1
  while [ ! -d "$near" ]; do near=${near%/*}; [ -n "$near" ] || near=/; done
  near=$(cd -P -- "$near" 2>/dev/null && pwd -P) || { echo "cannot be entered"; return 1; }
  guarded "$near" || { echo "others can write to it or to a folder above it"; return 1; }
  said=$(mkdir -p -m 700 -- "$1" 2>&1) || { echo "${said##*: }"; return 1; }
  [ -O "$1" ] && guarded "$(cd -P -- "$1" && pwd -P)" || { echo "others can write to it"; return 1; }
  { true >>"$1/lock"; } 2>/dev/null || { echo "cannot be written"; return 1; }
  install_into "$1" 9>>"$1/lock"
}

# Starts from the place $1 when that is sound; then it does not return.
start_from() {
  own_links "$1" && there=$(cd -P -- "$1" 2>/dev/null && pwd -P) && intact "$there/$id" || return 1
  # Once a day: `swept` says from when on.
  if [ ! -e "$there/swept" ] || [ "$there/$id/used" -nt "$there/swept" ]; then
    { true >>"$there/lock"; } 2>/dev/null && { flock -n 9 && sweep "$there"; } >/dev/null 2>&1 9>>"$there/lock"
  fi
  shift
  launch "$there/$id" "$@"
}

first=
case ${XDG_CACHE_HOME-} in
  /*) first=$XDG_CACHE_HOME/veripatch/portable ;;
  *) case ${HOME-} in /*) [ ! -d "$HOME" ] || first=$HOME/.cache/veripatch/portable ;; esac ;;
esac
[ -z "$first" ] || start_from "$first" "$@"
case ${TMPDIR-} in /*) second=$TMPDIR ;; *) second=/tmp ;; esac
second=$second/veripatch-portable-$(id -u)
start_from "$second" "$@"

missing=
for name in grep gzip mktemp sha256sum stat tail tar uname; do
  command -v $name >/dev/null 2>&1 || missing="$missing $name"
done
if [ -n "$missing" ]; then
  echo "pp: cannot unpack itself: not on this system:$missing" >&2
  exit 69
fi
here="$(uname -s) $(uname -m)"
if [ "$here" != "@UNAME@" ]; then
  echo "pp: this file is for @UNAME@, and this is $here" >&2
  exit 69
fi
reasons=
for place in "$first" "$second"; do
  [ -n "$place" ] || continue
  why=$(prepare "$place") && start_from "$place" "$@"
  reasons="$reasons
  $place: ${why:-it was unpacked, and changed at once}"
done
cat >&2 <<REASONS
pp: cannot unpack itself, and nothing was run$reasons
It needs @MEGABYTES@ MB in a folder that only you can write to and that programs may run from: name one with
XDG_CACHE_HOME or TMPDIR.
REASONS
exit 69
