#!/usr/bin/env bash
# Sees to it that these Debian packages are there, and a Swift toolchain: scripts/packages.sh NAME...
#
# What is missing is installed, as root or through sudo. Where neither is at hand the one line to run is printed.
# When all is there nothing is asked of the network.
set -euo pipefail

if ! command -v swift >/dev/null; then
  echo "crossfade needs a Swift toolchain, 6.3 or later, on the PATH: https://www.swift.org/install/linux/" >&2
  exit 69
fi

if ! command -v dpkg >/dev/null || ! command -v apt-get >/dev/null; then
  # No Debian: what counts is that the things themselves are there.
  if pkg-config --exists libpq liblz4 2>/dev/null; then exit 0; fi
  echo "crossfade: this is no Debian; install what these Debian packages hold, then try again: $*" >&2
  exit 69
fi

missing=()
for name in "$@"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null || true)
  if [ "$status" != installed ]; then missing+=("$name"); fi
done
# Something else may provide it: pkgconf for pkg-config, PGDG's versioned servers for postgresql.
absent=()
for name in ${missing[@]+"${missing[@]}"}; do
  case $name in
    pkg-config) if command -v pkg-config >/dev/null; then continue; fi ;;
    postgresql) if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then continue; fi ;;
    xxd) if command -v xxd >/dev/null; then continue; fi ;;
  esac
  absent+=("$name")
done
if [ ${#absent[@]} = 0 ]; then exit 0; fi

as=()
if [ "$(id -u)" != 0 ]; then
  # Only where a password can be typed in, or none is needed.
  if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as=(sudo)
  else
    echo "crossfade needs ${absent[*]}. As root, run:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends ${absent[*]}" >&2
    exit 69
  fi
fi

echo "installing ${absent[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  ${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null >"$log" 2>&1 || {
    cat "$log" >&2
    echo "crossfade: apt-get $* failed" >&2
    exit 69
  }
}
install update
install install -y --no-install-recommends "${absent[@]}"
