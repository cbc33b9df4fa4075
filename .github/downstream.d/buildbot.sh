#!/usr/bin/env bash
# buildbot, a master with workers: PB, websockets, HTTP, databases in threads; its tests are in its wheel.
set -eu
case "$1" in
install) python -m pip install --quiet 'buildbot[test]' buildbot-worker ;;
run) python -m twisted.trial --reactor="$REACTOR" buildbot ;;
esac
