#!/usr/bin/env bash
# treq, an HTTP client: its tests are in its wheel, and ask an httpbin that they start.
set -eu
case "$1" in
install) python -m pip install --quiet 'treq[dev]' ;;
run) python -m twisted.trial --reactor="$REACTOR" treq ;;
esac
