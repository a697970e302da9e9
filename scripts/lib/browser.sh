# shellcheck shell=bash
# A browser and its driver, for the tests that look at pages.
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

chromium() { command -v "${CHROMIUM_BIN:-chromium}" || command -v chromium-browser || command -v google-chrome; }

browser_ready() {
  if chromium >/dev/null && command -v chromedriver >/dev/null 2>&1; then return 0; fi
  if apt_allowed; then
    apt_install chromium chromium-driver
    return
  fi
  fail "Chromium or chromedriver is missing." \
    "On Debian: sudo apt-get install chromium chromium-driver" \
    "Elsewhere install both in the same version, with chromedriver on the path (CHROMIUM_BIN names the browser)."
}
