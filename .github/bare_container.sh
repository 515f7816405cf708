# The main job on a machine that has nothing but sh, coreutils, tar, gzip and an engine's socket: a key, a proof signed
# with it, the verifier's trust, verifying, replaying, packing; and what is embedded, from an empty folder.
#
# IMAGE: the image that commands run in. /example: a writable copy of examples/python-one-line. pp is in PATH, in a
# folder that this user cannot write to.
set -eu
for name in deno node npm git python3; do
  if command -v "$name" >/dev/null; then
    echo "there is $name" >&2
    exit 1
  fi
done
folder=$(dirname "$(command -v pp)")
if [ -w "$folder" ] || [ -w "$folder/pp" ]; then
  echo "$folder can be written to" >&2
  exit 1
fi
work=$(mktemp -d)
cp -R /example/workspace "$work/base"

mkdir "$work/keys" && cd "$work/keys"
pp keygen -o ci >/dev/null
pp trust init >/dev/null
pp trust add ci ci.pub.pem --role prover >/dev/null

cd /example/workspace
pp run "pytest -q" --patch ../proposals/1.patch --image "$IMAGE" --sign "$work/keys/ci.key.pem" --json >"$work/run.json"
grep -q '"status": *"proved"' "$work/run.json"
bundle=$(sed -n 's/.*"proof_bundle": *"\([^"]*\)".*/\1/p' "$work/run.json")
pp verify-attestation "$bundle" --trust "$work/keys/trust.yaml" --max-age 1d
pp replay "$bundle" --key "$work/keys/ci.pub.pem" --image "$IMAGE" --cwd "$work/base"
pp bundle pack "$bundle" -o "$work/proof.ppb" >/dev/null
pp verify-attestation "$work/proof.ppb" --key "$work/keys/ci.pub.pem" >/dev/null
pp safety diff --patch "$bundle/final.patch" >/dev/null

# Policies, templates, rules, grammars and pages come with the file.
mkdir "$work/empty" "$work/code" && cd "$work/empty"
printf 'import subprocess\n\n\ndef main():\n    subprocess.run("ls", shell=True)\n' >"$work/code/a.py"
pp policy presets | grep -q '^strict '
pp policy presets python | grep -q pytest
pp template show add-import --language python >/dev/null
pp safety scan "$work/code" | grep 'a\.py:5'
export PP_STORE="$work/store"
pp artifact create code --workspace "$work/code" >/dev/null
pp propose code --template add-import --file a.py --param module=os
pp proposal diff P1 | grep '^+import os$'
pp help exit-codes | grep -q 'no trusted key'
test -z "$(ls -A)"
echo "everything done"
