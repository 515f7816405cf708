#!/bin/sh
# Copies every file of a folder to a backup folder.
set -eu
from=$1
to=$2
mkdir -p "$to"
for file in $from/*; do
  cp $file "$to/"
done
