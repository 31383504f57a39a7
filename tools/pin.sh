#!/bin/sh
# Writes deploy/requirements.txt anew: the newest releases of what pyproject.toml asks for, and pip.
#
#   tools/pin.sh      needs pip-compile (pip install pip-tools) of the oldest Python that is supported
set -eu
cd "$(dirname "$0")/.."
target=deploy/requirements.txt
header=$(grep '^#' "$target")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo pip >"$work/more.in"
pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header \
  --no-annotate --no-emit-index-url --no-emit-find-links \
  --output-file "$work/pins.txt" pyproject.toml "$work/more.in"
{ printf '%s\n' "$header"; cat "$work/pins.txt"; } >"$target"
