#!/usr/bin/env bash
# klein, a web framework: its tests are in its wheel.
set -eu
case "$1" in
install) python -m pip install --quiet klein hypothesis treq ;;
run) python -m twisted.trial --reactor="$REACTOR" klein ;;
esac
