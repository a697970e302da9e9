#!/usr/bin/env bash
# Prometheus and promtool, for the tests of dashboard and alerts.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

prometheus_ready() {
  if command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; then return 0; fi
  if [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null 2>&1; then
    step "Installing Prometheus"
    local install=(without_services env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus)
    "${install[@]}" >&2 || { apt-get update -qq >&2 && "${install[@]}" >&2; }
    return
  fi
  fail "prometheus or promtool is missing." \
    "On Debian: sudo apt-get install prometheus" \
    "Elsewhere install both, with the programs on the path. The tests start them themselves; no service is needed."
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then prometheus_ready; fi
