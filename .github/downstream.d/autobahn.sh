#!/usr/bin/env bash
# autobahn, websockets and WAMP: its tests are in its wheel.
set -eu
export USE_TWISTED=1
case "$1" in
install) python -m pip install --quiet 'autobahn[twisted,encryption,serialization]' ;;
run) python -m twisted.trial --reactor="$REACTOR" autobahn ;;
esac
