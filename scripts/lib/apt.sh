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

# without_services COMMAND...: packages that it installs do not start their servers. In a shell of its own, which takes its file away
# again however it ends: left behind, no package installed later would start its server.
without_services() (
  local signal policy=/usr/sbin/policy-rc.d
  if [[ ! -e "$policy" ]]; then
    trap 'rm -f "$policy"' EXIT
    # It ends by the signal itself, from which the shell that waits for it knows that it is to end too.
    for signal in INT TERM HUP; do
      # shellcheck disable=SC2064 # the signal of this round
      trap "rm -f '$policy'; trap - EXIT $signal; kill -$signal \$BASHPID" "$signal"
    done
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  "$@"
)
