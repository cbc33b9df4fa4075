#!/usr/bin/env bash
# wokkel, XMPP: its tests are in its wheel.
set -eu
case "$1" in
install) python -m pip install --quiet wokkel ;;
run) python -m twisted.trial --reactor="$REACTOR" wokkel ;;
esac
