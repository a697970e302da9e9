# shellcheck shell=bash
# Where the project is, and how its commands speak. Sourced by every command.
# shellcheck disable=SC2034 # used by those who source this
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
CACHE="$ROOT/.cache"
TARGET="${CARGO_TARGET_DIR:-$ROOT/target}"

# All of it goes to standard error, so that a command's answer can be caught from standard output.
say() { printf '%s\n' "$*" >&2; }
step() { printf '\n==> %s\n' "$*" >&2; }
# shout LINE...: what nobody should overlook in a long log.
shout() { printf '\n*****\n' >&2; printf '***** %s\n' "$@" >&2; printf '*****\n\n' >&2; }
fail() {
  printf '\nerror: %s\n' "$1" >&2
  shift
  local line
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

# need PROGRAM WHAT-TO-DO: ends with a message unless the program is there.
need() { command -v "$1" >/dev/null 2>&1 || fail "$1 is missing." "$2"; }

# python_ready: for scripts/lib/package.py, which reads TOML with what Python has since 3.11.
python_ready() {
  need python3 "scripts/package needs Python 3.11 or newer: https://www.python.org"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$(python3 --version) is too old." "scripts/package needs Python 3.11 or newer: https://www.python.org"
}
