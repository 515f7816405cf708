#!/bin/sh
# The importer of the till wants carriage returns, one price for bread, and bread costs 310.
set -eu
cr=$(printf '\r')
if test "$(grep '^bread,' prices.csv)" != "bread,310$cr"; then
  echo "prices.csv:3: bread must cost 310, once"
  exit 1
fi
if grep -qv "$cr\$" prices.csv; then
  echo "prices.csv: a line lost its carriage return"
  exit 1
fi
