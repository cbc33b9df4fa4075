#!/usr/bin/env bash
# buildbot-worker, which starts and watches the processes of builds: its tests are in its source distribution only.
set -eu
case "$1" in
install)
    python -m pip install --quiet buildbot-worker psutil parameterized
    python -m pip download --quiet --no-deps --no-binary :all: buildbot-worker
    mkdir source && tar xzf buildbot_worker-*.tar.gz --strip-components=1 -C source
    ;;
run)
    cd source
    python -m twisted.trial --reactor="$REACTOR" buildbot_worker
    ;;
esac
