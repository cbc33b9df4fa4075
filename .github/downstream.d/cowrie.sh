#!/usr/bin/env bash
# cowrie, an SSH and telnet honeypot: its tests look for files of its source distribution from there.
set -eu
case "$1" in
install)
    python -m pip install --quiet cowrie pytest
    python -m pip download --quiet --no-deps --no-binary :all: cowrie
    mkdir source && tar xzf cowrie-*.tar.gz --strip-components=1 -C source
    ;;
run)
    cd source
    # Those of outputs need other clients.
    python -m pytest -q -rfE -p no:cacheprovider --ignore-glob='*test_output_*' src/cowrie/test
    ;;
esac
