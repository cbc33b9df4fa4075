#!/usr/bin/env bash
# buildbot-worker, which starts and watches the processes of builds: its tests are in its wheel.
set -eu
case "$1" in
install) python -m pip install --quiet buildbot-worker psutil parameterized ;;
run) python -m twisted.trial --reactor="$REACTOR" buildbot_worker ;;
esac
