#!/usr/bin/env bash
# txtorcon, Tor's control protocol: its tests are in its source distribution only.
set -eu
case "$1" in
install)
    python -m pip install --quiet txtorcon
    python -m pip download --quiet --no-deps --no-binary :all: txtorcon
    mkdir source && tar xzf txtorcon-*.tar.gz --strip-components=1 -C source
    mv source/test tests_of_txtorcon # `test` is Python's own
    ;;
run) python -m twisted.trial --reactor="$REACTOR" tests_of_txtorcon ;;
esac
