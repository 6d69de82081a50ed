#!/usr/bin/env bash
# Runs the tests that use servers on one PostgreSQL major after the other: scripts/matrix.sh [--short] [MAJOR...], 13 to 18
# where none is named. ONLY=PATTERN runs those whose names match; --short the most telling ones.
#
# Ends with a table. Exits with 0 when all that ran passed, 1 when something failed or nothing ran on a major, 69 when there
# was no server at all. A major that cannot be had is told, with the reason; it fails nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/suites.sh

pattern=${ONLY:-$servers}
skip=()
# Longer than it takes; what hangs beyond its own time limit is ended.
limit=2400
if [ "${1:-}" = --short ]; then
  pattern=$telling
  skip=(--skip "$patient")
  limit=1200
  shift
fi

found=$(scripts/majors.sh "$@")
CROSSFADE_PG_MAJORS=$(awk -F '\t' '$2 != "-" { print $3 }' <<<"$found" | paste -sd:)
export CROSSFADE_PG_MAJORS
if [ -n "$CROSSFADE_PG_MAJORS" ]; then build_tests; fi

failed=0
ran=0
absent=
table=$'major\tversion\tpassed\tfailed\tskipped\tseconds'
while IFS=$'\t' read -r -u 3 major version directory; do
  if [ "$version" = - ]; then
    absent+="NOT TESTED: PostgreSQL $major, $directory"$'\n'
    table+=$'\n'"$major"$'\tnot tested\t-\t-\t-\t-'
    continue
  fi
  echo "PostgreSQL $version in $directory"
  log=$PWD/.build/matrix-$major.log
  begin=$SECONDS
  ended=0
  CROSSFADE_PG_BIN=$directory timeout --kill-after=30 "$limit" \
    swift test --skip-build --disable-xctest --no-parallel --filter "$pattern" ${skip[@]+"${skip[@]}"} \
    >"$log" 2>&1 </dev/null || ended=$?
  seconds=$((SECONDS - begin))
  passed=$(grep -c '^✔ Test .* passed after' "$log" || true)
  broken=$(grep -c '^✘ Test .* failed after' "$log" || true)
  skipped=$(grep -c '^➜ Test ' "$log" || true)
  # The first summary line counts the run itself among the tests.
  passed=$((passed - $(grep -c '^✔ Test run with' "$log" || true)))
  broken=$((broken - $(grep -c '^✘ Test run with' "$log" || true)))
  table+=$'\n'"$major"$'\t'"${version%% *}"$'\t'"$passed"$'\t'"$broken"$'\t'"$skipped"$'\t'"$seconds"
  ran=$((ran + 1))
  sed -n 's/^➜ Test /  skipped: /p' "$log" | cut -c -200
  if [ $ended = 0 ] && [ "$passed" -gt 0 ]; then
    echo "  $passed passed in $seconds s"
    continue
  fi
  failed=1
  # Each with what it says of itself, as far as a screen holds it.
  awk '/^✘ Test run with/ { next } /^✘ Test .*(recorded an issue|failed after)/ { left = 25; print; next }
    /^(✔|✘|◇|➜) / { left = 0 } left > 0 { left--; print }' "$log" | cut -c -300 | sed 's/^/  /'
  case $ended in
    0) echo "  NOTHING RAN: no test's name matches $pattern" ;;
    124 | 137) echo "  FAILED: not done after $limit s; $passed had passed, $broken failed" ;;
    *) echo "  FAILED: $broken failed, $passed passed in $seconds s; everything that was said stands in $log" ;;
  esac
done 3<<<"$found"

echo
column -t -s $'\t' <<<"$table"
printf '%s' "$absent"
if [ $ran = 0 ]; then
  echo "NO MAJOR COULD BE TESTED" >&2
  exit 69
fi
if [ $failed != 0 ]; then
  echo "FAILED" >&2
  exit 1
fi
