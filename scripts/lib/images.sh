# shellcheck shell=bash
# Container images: pulled where a registry answers, else put together from programs of this machine, under the same name and with
# the same layout; for Envoy's that is the binary which the tests run without containers.
source "$(dirname "${BASH_SOURCE[0]}")/envoy.sh"

# shellcheck disable=SC2034 # both are used by those who source this
ENVOY_IMAGE="envoyproxy/envoy:v$ENVOY_VERSION" NODE_IMAGE="node:20-slim"

# image_ready ENGINE NAME RECIPE: an image of this name. RECIPE FOLDER fills a root file system, and prints what the image says about
# itself: Dockerfile instructions, one on a line.
image_ready() {
  local engine="$1" name="$2" recipe="$3" made work line="" patience=600 status changes=()
  # An image that was made here carries the sum of this file, so that a changed recipe is noticed.
  made="$(cksum <"${BASH_SOURCE[0]}" | tr ' ' -)"
  if line="$("$engine" image inspect --format '{{with .Config.Labels}}{{index . "portero.made-here"}}{{end}}' "$name" 2>/dev/null)"; then
    if [[ -z "$line" ]]; then return 0; fi
    # It has the name of another's, which takes its place as soon as it can be had. Time for that is short: there is one that serves.
    patience=120
  fi
  step "Pulling $name"
  if timeout "$patience" "$engine" pull --quiet "$name" >&2; then return 0; fi
  if [[ "$line" == "$made" ]]; then
    say "No registry has it for us: the one made here before serves."
    return 0
  fi

  step "No registry has it for us: making $name from what is on this machine"
  mkdir -p "$CACHE"
  work="$(mktemp -d "$CACHE/image.XXXXXX")"
  "$recipe" "$work/root" >"$work/changes" || { rm -rf "$work"; return 1; }
  while read -r line; do changes+=(--change "$line"); done <"$work/changes"
  changes+=(--change "LABEL portero.made-here=$made")
  tar --create --directory "$work/root" --owner 0 --group 0 . | "$engine" import "${changes[@]}" - "$name" >&2
  status=$?
  rm -rf "$work"
  return "$status"
}

# root_of FOLDER PROGRAM: a root file system of one program: its shared libraries, what the C library needs to look up names, CA
# certificates, and /tmp.
root_of() {
  local root="$1" program="$2" library libraries bundle
  mkdir -p "$root"/{etc/ssl/certs,tmp,usr/local/bin} || return
  chmod 1777 "$root/tmp"
  cp "$program" "$root/usr/local/bin/" || return
  libraries="$(libraries_of "$program")"
  for library in $libraries; do copy_to_root "$root" "$library" || return; done
  for library in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2; do
    library="$(dirname "$(grep '/libc\.so' <<<"$libraries")")/$library"
    [[ ! -e "$library" ]] || copy_to_root "$root" "$library" || return
  done
  printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
  printf 'root:x:0:0::/:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\n' >"$root/etc/group"
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    if [[ -e "$bundle" ]]; then
      cp -L "$bundle" "$root/etc/ssl/certs/ca-certificates.crt"
      return
    fi
  done
  say "This machine has no CA certificates, which the image needs. On Debian: sudo apt-get install ca-certificates"
  return 1
}

# The shared libraries of a program, with the loader.
libraries_of() { ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// {print $1}'; }

# Links are followed: what is there under a name becomes a file of this name.
copy_to_root() { mkdir -p "$1$(dirname "$2")" && cp -L "$2" "$1$2"; }

user_of_root() {
  printf '%s:x:%s:%s::/:/bin/sh\n' "$2" "$3" "$3" >>"$1/etc/passwd"
  printf '%s:x:%s:\n' "$2" "$3" >>"$1/etc/group"
}

# Envoy's own image, as it is called and as it lies, but for the user: it never is root.
envoy_image() {
  local root="$1" library envoy
  envoy="$(envoy_fetched)" || return
  root_of "$root" "$envoy" || return
  for library in $(libraries_of /bin/sh); do copy_to_root "$root" "$library" || return; done
  copy_to_root "$root" /bin/sh || return
  mkdir -p "$root/etc/envoy"
  user_of_root "$root" envoy 101
  cat >"$root/docker-entrypoint.sh" <<'SH'
#!/bin/sh
# Arguments alone are Envoy's.
case "$1" in -*) set -- envoy "$@" ;; esac
exec "$@"
SH
  chmod 755 "$root/docker-entrypoint.sh"
  cat <<'TEXT'
ENV PATH=/usr/local/bin:/bin
USER 101:101
EXPOSE 10000
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["envoy", "-c", "/etc/envoy/envoy.yaml"]
TEXT
}

# Node.js' own image, without npm and without a shell.
node_image() {
  local root="$1"
  root_of "$root" "$(command -v node)" || return
  user_of_root "$root" node 1000
  cat <<'TEXT'
ENV PATH=/usr/local/bin
CMD ["node"]
TEXT
}
