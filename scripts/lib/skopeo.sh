# shellcheck shell=bash
# skopeo, with which the tests copy the images of a release. Where it is not to be had they do without, and say so.
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

skopeo_ready() {
  if command -v skopeo >/dev/null 2>&1; then return 0; fi
  if apt_allowed && apt_install skopeo; then return 0; fi
  say "skopeo is not installed, so nobody copies the images of scripts/package"
}
