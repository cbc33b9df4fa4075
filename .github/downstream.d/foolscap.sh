#!/usr/bin/env bash
# foolscap, remote objects over TLS: its tests are in its wheel.
set -eu
case "$1" in
install) python -m pip install --quiet foolscap txtorcon ;;
run) python -m twisted.trial --reactor="$REACTOR" foolscap ;;
esac
