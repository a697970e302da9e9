#!/usr/bin/env bash
# Prometheus and promtool, for the tests of dashboard and alerts.
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

prometheus_ready() {
  if command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; then return 0; fi
  if apt_allowed; then
    apt_install prometheus
    return
  fi
  fail "prometheus or promtool is missing." \
    "On Debian: sudo apt-get install prometheus" \
    "Elsewhere install both, with the programs on the path. The tests start them themselves; no service is needed."
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then prometheus_ready; fi
