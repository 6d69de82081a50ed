#!/usr/bin/env bash
# Builds and runs the tests: scripts/test.sh [PATTERN]. With a pattern only those whose names match it.
#
# First what needs no server, side by side; then what starts servers and processes, one after the other, so that
# they have the machine's cores to themselves. What was skipped, and why, is repeated at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/suites.sh

echo "building; the first time this compiles the dependencies too and takes some minutes"
build_tests

# Majors that `make test-matrix` has brought, for tests that want two of them.
if [ -z "${CROSSFADE_PG_MAJORS:-}" ]; then
  CROSSFADE_PG_MAJORS=$(compgen -G "$PWD/.postgres/*/bin" | paste -sd: || true)
  export CROSSFADE_PG_MAJORS
fi

log=$PWD/.build/test.log
: >"$log"
failed=0
# Begun suites and tests are not news; everything else is.
run() {
  swift test --skip-build --disable-xctest "$@" 2>&1 | tee -a "$log" | sed -u '/^◇ /d' || failed=1
}

begin=$SECONDS
if [ $# -gt 0 ]; then
  run --no-parallel --filter "$1"
else
  run --parallel --skip "$servers"
  run --no-parallel --filter "$servers"
fi

echo
if grep -q '^➜ ' "$log"; then
  echo "skipped:"
  sed -n 's/^➜ /  /p' "$log" | sort -u
else
  echo "nothing was skipped"
fi
echo "$((SECONDS - begin)) s; everything that was said stands in .build/test.log"
if [ $failed != 0 ]; then
  echo "FAILED" >&2
  exit 1
fi
echo "all tests passed"
