# shellcheck shell=bash
# Packages of Debian's, on machines that let us install them.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# apt_allowed: this machine has apt, and we may use it.
apt_allowed() { [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null 2>&1; }

# apt_install PACKAGE...: servers among them are not started.
apt_install() {
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@")
  step "Installing $*"
  without_services "${install[@]}" >&2 || { apt-get update -qq >&2 && without_services "${install[@]}" >&2; }
}

# without_services COMMAND...: packages that it installs do not start their servers.
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [[ -e "$policy" ]]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  "$@" || status=$?
  rm -f "$policy"
  return "$status"
}
