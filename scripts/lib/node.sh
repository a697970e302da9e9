#!/usr/bin/env bash
# The test provider's packages, installed anew only when its lock file has changed.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

provider_ready() {
  need node "Install Node.js 20 or newer: https://nodejs.org"
  need npm "It comes with Node.js: https://nodejs.org"
  local major home="$ROOT/tests/provider" stamp
  major="$(node --print 'process.versions.node.split(".")[0]')"
  ((major >= 20)) || fail "Node.js $(node --version) is too old." "Install version 20 or newer: https://nodejs.org"
  stamp="$home/node_modules/.installed-lock"
  if ! cmp -s "$home/package-lock.json" "$stamp"; then
    step "Installing the test provider's packages into tests/provider/node_modules"
    (cd "$home" && npm ci --no-fund --no-audit >&2)
    cp "$home/package-lock.json" "$stamp"
  fi
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then provider_ready; fi
