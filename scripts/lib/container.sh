# shellcheck shell=bash
# A container engine: docker or podman, whichever answers and runs our image of Envoy. Where neither does and this machine allows it,
# Docker is installed and started, and stopped again in the end.
source "$(dirname "${BASH_SOURCE[0]}")/apt.sh"
source "$(dirname "${BASH_SOURCE[0]}")/rust.sh"
source "$(dirname "${BASH_SOURCE[0]}")/images.sh"

ENGINE=""
ENGINE_PID=""
COMPOSE=""
# What our containers are called: the one that Envoys run in, and those of compose.
ENVOY_CONTAINER="portero-test-$$-envoy"
COMPOSE_PROJECT="portero-test-$$"

# engine_ready: whether there is one; ENGINE is its command then. `trap 'engine_close || exit 1' EXIT` belongs before it.
engine_ready() {
  local engine
  # The containers share the network of the tests, which other systems than Linux put into a machine of its own.
  [[ "$(uname -s)" == Linux ]] || { say "Containers share this machine's network on Linux only."; return 1; }
  for engine in docker podman; do
    if engine_answers "$engine" && engine_serves "$engine"; then return 0; fi
  done
  docker_started && engine_serves docker
}

engine_answers() { command -v "$1" >/dev/null 2>&1 && timeout 20 "$1" info >/dev/null 2>&1; }

# engine_serves ENGINE: it has the image, and runs it.
engine_serves() {
  local said
  image_ready "$1" "$ENVOY_IMAGE" envoy_image || { say "$1 takes no image."; return 1; }
  if said="$("$1" run --rm --network host --user 101:101 "$ENVOY_IMAGE" envoy --version 2>&1)" && grep -q 'envoy  *version' <<<"$said"; then
    ENGINE="$1"
    return 0
  fi
  say "$1 answers, but runs no containers:" "$said"
  return 1
}

docker_started() {
  local log="$CACHE/dockerd.log" deadline
  if [[ "$(id -u)" != 0 ]]; then
    say "Only root may start Docker, or install it."
    return 1
  fi
  # Two on one machine take each other's network away.
  if pgrep -x dockerd >/dev/null; then
    say "Docker runs, but does not serve us."
    return 1
  fi
  if ! command -v dockerd >/dev/null 2>&1 || ! command -v docker >/dev/null 2>&1; then
    apt_allowed || { say "Docker is not installed, nor is podman."; return 1; }
    apt_install docker.io || return 1
    command -v docker >/dev/null 2>&1 || apt_install docker-cli || return 1
  fi
  step "Starting Docker"
  mkdir -p "$CACHE"
  # In a session of its own: Ctrl-C is for us, and we end it when its containers are gone.
  setsid dockerd >"$log" 2>&1 </dev/null &
  ENGINE_PID=$!
  deadline=$((SECONDS + 60))
  until engine_answers docker; do
    if ! kill -0 "$ENGINE_PID" 2>/dev/null || ((SECONDS >= deadline)); then
      say "Docker does not start here:"
      tail -n 5 "$log" >&2
      engine_close || true
      return 1
    fi
    sleep 0.2
  done
}

# envoy_container_opened: a container that shares this machine's network, for scripts/lib/envoy-in-container to start Envoys in. It sees
# the project, the build folder and the module at their own places, read-only, and is not root. One for all: to start a container
# takes ten times as long as to start an Envoy.
envoy_container_opened() {
  local folder run=(run --detach --interactive --rm --name "$ENVOY_CONTAINER" --network host --user 101:101 --read-only --cap-drop ALL
    --security-opt no-new-privileges --security-opt label=disable)
  mkdir -p "$TARGET"
  for folder in $(printf '%s\n' "$ROOT" "$(realpath "$TARGET")" "$(dirname "$(realpath "$MODULE")")" | sort -u); do
    run+=(--mount "type=bind,source=$folder,target=$folder,readonly")
  done
  "$ENGINE" "${run[@]}" "$ENVOY_IMAGE" sh -c 'read -r _' >/dev/null || return
  export PORTERO_CONTAINER="$ENGINE $ENVOY_CONTAINER"
}

# Our containers, and the engine if it is ours, are gone afterwards; an error if the engine is not.
engine_close() {
  local left deadline
  if [[ -n "$ENGINE" ]]; then
    left="$("$ENGINE" ps --all --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT" || true)"
    # shellcheck disable=SC2086 # one word for each
    "$ENGINE" rm --force "$ENVOY_CONTAINER" $left >/dev/null 2>&1 || true
    "$ENGINE" network rm "${COMPOSE_PROJECT}_private" >/dev/null 2>&1 || true
  fi
  [[ -n "$ENGINE_PID" ]] || return 0
  kill "$ENGINE_PID" 2>/dev/null || true
  deadline=$((SECONDS + 30))
  while kill -0 "$ENGINE_PID" 2>/dev/null; do
    if ((SECONDS >= deadline)); then
      shout "Docker, which was started for the tests, does not end: it is process $ENGINE_PID, and still runs." "Its log: $CACHE/dockerd.log"
      ENGINE_PID=""
      return 1
    fi
    sleep 0.1
  done
  ENGINE_PID=""
}

# compose_ready: whether the engine has a compose; COMPOSE is its command then, and the images that deploy/compose names are there.
compose_ready() {
  if ! compose_found && ! { [[ "$ENGINE" == docker ]] && apt_allowed && apt_install docker-compose && compose_found; }; then
    say "$ENGINE has no compose."
    return 1
  fi
  image_ready "$ENGINE" "$NODE_IMAGE" node_image
}

compose_found() {
  local candidate
  for candidate in "$ENGINE compose" "$ENGINE-compose"; do
    # shellcheck disable=SC2086 # a command of one word or two
    if $candidate version >/dev/null 2>&1; then
      # shellcheck disable=SC2034 # used by those who source this
      COMPOSE="$candidate --project-name $COMPOSE_PROJECT"
      return
    fi
  done
  return 1
}
