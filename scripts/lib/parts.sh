# shellcheck shell=bash
# The running parts of the demo: started, waited for, watched, and stopped together.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PART_NAMES=()
PART_PIDS=()
PART_LOGS=()
PARTS_HOME=""

# parts_open FOLDER: logs go there. The pipe it makes is held open by this shell alone; parts that read from it end when this shell
# does, however it ends.
parts_open() {
  PARTS_HOME="$1"
  mkdir -p "$PARTS_HOME"
  rm -f "$PARTS_HOME/alive"
  mkfifo -m 600 "$PARTS_HOME/alive"
  exec 9<>"$PARTS_HOME/alive"
  trap parts_close EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# part NAME COMMAND...: starts it in the background.
part() {
  local name="$1"
  shift
  "$@" <"$PARTS_HOME/alive" >"$PARTS_HOME/$name.log" 2>&1 9>&- &
  PART_NAMES+=("$name")
  PART_PIDS+=("$!")
  PART_LOGS+=("$PARTS_HOME/$name.log")
}

# Ends, naming the part, if one of them has ended.
parts_check() {
  local i
  for i in "${!PART_PIDS[@]}"; do
    if ! kill -0 "${PART_PIDS[$i]}" 2>/dev/null; then
      say ""
      say "--- the end of ${PART_LOGS[$i]}"
      tail -n 20 "${PART_LOGS[$i]}" >&2
      fail "${PART_NAMES[$i]} has ended, so everything is stopped. Its log is shown above."
    fi
  done
}

# parts_wait NAME SECONDS COMMAND...: until the command succeeds.
parts_wait() {
  local name="$1" deadline=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    parts_check
    ((SECONDS < deadline)) || fail "$name did not become ready in time." "Its log: $PARTS_HOME/$name.log"
    pause 0.05
  done
}

# pause SECONDS: Ctrl-C is heard at once. While a program runs in front, a shell that is asked to stop leaves that to the program, and
# one that has just been started may miss it.
pause() {
  sleep "$1" 9>&- &
  wait "$!"
}

parts_close() {
  local status=$? i deadline
  trap - EXIT INT TERM HUP
  for i in "${!PART_PIDS[@]}"; do kill "${PART_PIDS[$i]}" 2>/dev/null || true; done
  deadline=$((SECONDS + 5))
  for i in "${!PART_PIDS[@]}"; do
    while kill -0 "${PART_PIDS[$i]}" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.05; done
    kill -KILL "${PART_PIDS[$i]}" 2>/dev/null || true
  done
  exec 9>&-
  rm -f "$PARTS_HOME/alive"
  [[ ${#PART_PIDS[@]} == 0 ]] || say "stopped"
  exit "$status"
}

# port_taken PORT: somebody listens there already.
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# answers_200 PORT PATH
answers_200() {
  local line
  {
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n' "$2" >&3
    read -r line <&3
    exec 3>&-
  } 2>/dev/null
  [[ "$line" == HTTP/*" 200 "* ]]
}
