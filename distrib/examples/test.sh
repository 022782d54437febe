#!/bin/sh
# Tests every example natively, without containers. Needs python3, node, a JDK and a C compiler; what is missing is named,
# and is a failure unless ALLOW_MISSING=1. WEIR_NAB_CSV, if set, adds the test over the recorded office temperatures.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missing=

has() {
  for tool; do
    command -v "$tool" >/dev/null || { missing="$missing $tool"; echo "examples: $tool is missing" >&2; return 1; }
  done
}

if has python3; then
  (cd "$here/thermo-alert" && PYTHONDONTWRITEBYTECODE=1 python3 -m unittest -q)
  (cd "$here/handler-python" && PYTHONDONTWRITEBYTECODE=1 python3 -m unittest -q)
fi

compiler=cc
command -v musl-gcc >/dev/null && compiler=musl-gcc
if has "$compiler" make python3; then
  cp "$here/echo/main.c" "$here/echo/Makefile" "$work"
  make -s -C "$work" CC="$compiler" LDFLAGS=-static main
  ECHO="$work/main" PYTHONDONTWRITEBYTECODE=1 python3 "$here/echo/test_echo.py" -q
fi

if has node; then
  (cd "$here/aggregate" && node --test)
fi

if has javac; then
  javac --release 17 -Xlint:all -Werror -d "$work/classes" "$here"/convert/*.java "$here"/convert/test/*.java
  java -cp "$work/classes" ConvertTest
fi

if [ -n "$missing" ] && [ "${ALLOW_MISSING:-0}" != 1 ]; then
  echo "examples: not all were tested; missing:$missing" >&2
  exit 1
fi
