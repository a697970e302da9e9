# shellcheck shell=bash
# The pinned Rust toolchain with its wasm target, and the module built with it.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# shellcheck disable=SC2034 # used by those who source this
MODULE="${PORTERO_WASM:-$TARGET/wasm32-wasip1/release/portero.wasm}"

rust_ready() {
  need cargo "Install Rust with rustup: https://rustup.rs"
  command -v rustup >/dev/null 2>&1 || return 0 # another way of installing Rust: cargo will say what it lacks
  local channel
  channel="$(sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")"
  # Where rustup is told not to install by itself, asking for the toolchain by name still works.
  if ! rustup toolchain list | grep -q "^$channel"; then
    step "Installing Rust $channel (pinned in rust-toolchain.toml)"
    rustup toolchain install "$channel" --profile minimal --component rustfmt --component clippy >&2
  fi
  if ! (cd "$ROOT" && rustup target list --installed) | grep -qx wasm32-wasip1; then
    step "Adding the target wasm32-wasip1 to Rust $channel"
    (cd "$ROOT" && rustup target add wasm32-wasip1 >&2)
  fi
}

# As a cdylib alone: a library that is an rlib as well is not optimised at link time, and is a sixth larger. No folder of this
# machine is written into it, so that the same sources make the same bytes anywhere; flags in the environment would replace those of
# .cargo/config.toml.
build_module() {
  [[ -z "${PORTERO_WASM:-}" ]] || return 0
  local sysroot commit flags
  sysroot="$(cd "$ROOT" && rustc --print sysroot)"
  commit="$(cd "$ROOT" && rustc --version --verbose | sed -n 's/^commit-hash: //p')"
  printf -v flags "'--remap-path-prefix=%s'," \
    "$ROOT=." \
    "$TARGET=target" \
    "${CARGO_HOME:-$HOME/.cargo}=cargo" \
    "$sysroot/lib/rustlib/src/rust=/rustc/$commit"
  (cd "$ROOT" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS cargo rustc --release --locked --lib --crate-type cdylib \
    --package portero --target wasm32-wasip1 --config "target.wasm32-wasip1.rustflags=[$flags]")
}
