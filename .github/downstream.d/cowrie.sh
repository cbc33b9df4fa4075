#!/usr/bin/env bash
# cowrie, an SSH and telnet honeypot: its tests look for files of its source distribution.
set -eu
case "$1" in
install)
    python -m pip install --quiet cowrie
    python -m pip download --quiet --no-deps --no-binary :all: cowrie
    mkdir source && tar xzf cowrie-*.tar.gz --strip-components=1 -C source
    ;;
run)
    cd source
    python -m twisted.trial --reactor="$REACTOR" cowrie
    ;;
esac
