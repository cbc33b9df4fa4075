#!/usr/bin/env bash
# cowrie, an SSH and telnet honeypot: its tests are in its wheel.
set -eu
case "$1" in
install) python -m pip install --quiet cowrie ;;
run) python -m twisted.trial --reactor="$REACTOR" cowrie ;;
esac
