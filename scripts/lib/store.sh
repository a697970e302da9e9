#!/usr/bin/env bash
# Redis and two servers that speak HTTP in front of it, for the tests of sessions in a store: webdis, and one for Upstash's dialect.
source "$(dirname "${BASH_SOURCE[0]}")/node.sh"

store_ready() {
  packages_ready tests/store "the test store's"
  if command -v redis-server >/dev/null 2>&1 && command -v webdis >/dev/null 2>&1; then return 0; fi
  if [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null 2>&1; then
    step "Installing Redis and webdis"
    local install=(without_services env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server webdis)
    "${install[@]}" >&2 || { apt-get update -qq >&2 && "${install[@]}" >&2; }
    return
  fi
  fail "redis-server or webdis is missing." \
    "On Debian: sudo apt-get install redis-server webdis" \
    "Elsewhere install both, with the programs on the path. The tests start them themselves; no service is needed."
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then store_ready; fi
