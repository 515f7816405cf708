#!/bin/sh
# The importer of the till wants carriage returns, and bread costs 310.
set -eu
cr=$(printf '\r')
grep -qx "bread,310$cr" prices.csv || { echo "prices.csv:3: bread must cost 310"; exit 1; }
if grep -qv "$cr\$" prices.csv; then echo "prices.csv: a line lost its carriage return"; exit 1; fi
