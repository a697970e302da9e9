# shellcheck shell=bash
# A browser and its driver, for the tests that look at pages.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

chromium() { command -v "${CHROMIUM_BIN:-chromium}" || command -v chromium-browser || command -v google-chrome; }

browser_ready() {
  if chromium >/dev/null && command -v chromedriver >/dev/null 2>&1; then return 0; fi
  if [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null 2>&1; then
    step "Installing Chromium and its driver"
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver)
    "${install[@]}" >&2 || { apt-get update -qq >&2 && "${install[@]}" >&2; }
    return
  fi
  fail "Chromium or chromedriver is missing." \
    "On Debian: sudo apt-get install chromium chromium-driver" \
    "Elsewhere install both in the same version, with chromedriver on the path (CHROMIUM_BIN names the browser)."
}
