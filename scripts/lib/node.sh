#!/usr/bin/env bash
# Packages of Node.js, installed anew only when their lock file has changed. As a command: the test provider's.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# packages_ready FOLDER WHOSE: those that the folder's lock file names.
packages_ready() {
  need node "Install Node.js 20 or newer: https://nodejs.org"
  need npm "It comes with Node.js: https://nodejs.org"
  local major home="$ROOT/$1" stamp
  major="$(node --print 'process.versions.node.split(".")[0]')"
  ((major >= 20)) || fail "Node.js $(node --version) is too old." "Install version 20 or newer: https://nodejs.org"
  stamp="$home/node_modules/.installed-lock"
  if ! cmp -s "$home/package-lock.json" "$stamp"; then
    step "Installing $2 packages into $1/node_modules"
    (cd "$home" && npm ci --no-fund --no-audit >&2)
    cp "$home/package-lock.json" "$stamp"
  fi
}

provider_ready() { packages_ready tests/provider "the test provider's"; }

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then provider_ready; fi
