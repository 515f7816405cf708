# Red unless SHA256SUMS lists every released file beside it with its digest, and nothing else.
set -eu
for file in pp-*; do grep -qF "  $file" SHA256SUMS; done
[ "$(ls -d pp-* | wc -l)" -eq "$(wc -l < SHA256SUMS)" ]
sha256sum -c SHA256SUMS
