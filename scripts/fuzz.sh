#!/usr/bin/env bash
# Builds the fuzz targets with libFuzzer and AddressSanitizer and runs them: scripts/fuzz.sh [TARGET], TIME seconds each.
# What a run adds to what fixtures/fuzz covers waits in .build/fuzz/corpus; KEEP=1 minimises it into fixtures/fuzz.
# An input that breaks a rule is left in .build/fuzz/found, and the run fails.
set -euo pipefail
cd "$(dirname "$0")/.."

time=${TIME:-600}
scratch=.build/fuzz
targets=${1:-$(sed -n 's/^  case \([a-z]*\)$/\1/p' Fuzz/Targets/FuzzTarget.swift)}

# One -sanitize for Swift, whose compiler heeds the last only; SwiftPM's own for C and for the link.
echo "building with libFuzzer and AddressSanitizer; the first time this takes minutes"
CROSSFADE_FUZZ=1 swift build -c release --product crossfade-fuzz --scratch-path "$scratch" \
  --sanitize=fuzzer --sanitize=address -Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing \
  2>&1 | sed -u -e '/^\[[0-9]*\/[0-9]*\] /d' -e '/Cannot export local symbol/d'

# libFuzzer catches what a trap raises; Swift's own backtracer would stand in its way.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
fuzz() {
  local target=$1
  shift
  # Programs are slow to run and need no length; what is read as it is does.
  local length=(-max_len=8192)
  case $target in
  assembler | capture) length=(-max_len=300 -len_control=10) ;;
  damage | spool) length=(-max_len=200 -len_control=0) ;;
  esac
  "$scratch/release/crossfade-fuzz" "--target=$target" -timeout=30 -rss_limit_mb=4096 "${length[@]}" "$@"
}

failed=0
for target in $targets; do
  kept=fixtures/fuzz/$target
  corpus=$scratch/corpus/$target
  found=$scratch/found/$target
  log=$scratch/$target.log
  mkdir -p "$kept" "$corpus" "$found"
  if [ -z "$(ls "$kept")" ] && [ -z "$(ls "$corpus")" ]; then fuzz "$target" "--seeds=$corpus"; fi
  options=("-max_total_time=$time" "-artifact_prefix=$found/" -print_final_stats=1)
  if [ -f "fixtures/fuzz/$target.dict" ]; then options+=("-dict=fixtures/fuzz/$target.dict"); fi
  echo "$target: $time s"
  if ! fuzz "$target" "${options[@]}" "$corpus" "$kept" >"$log" 2>&1; then
    failed=1
    grep -E '^FINDING|^SUMMARY|^==.*ERROR|Test unit written' "$log" || tail -n 5 "$log"
  fi
  grep -E 'INITED|DONE' "$log" | sed 's/^/  /' || true
  if [ "${KEEP:-}" = 1 ]; then
    rm -rf "$scratch/merged"
    mkdir "$scratch/merged"
    fuzz "$target" -merge=1 "$scratch/merged" "$kept" "$corpus" >>"$log" 2>&1
    # Findings keep their names; libFuzzer's are hashes.
    find "$kept" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
    cp "$scratch/merged/"* "$kept/"
    echo "  kept: $(ls "$kept" | wc -l) inputs, $(du -sb "$kept" | cut -f 1) bytes"
  fi
done
exit $failed
