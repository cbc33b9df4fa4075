#!/usr/bin/env bash
# buildbot, a master with workers: PB, websockets, HTTP, databases in threads; its tests are in its source distribution only.
set -eu
case "$1" in
install)
    python -m pip install --quiet 'buildbot[test]' buildbot-worker
    python -m pip download --quiet --no-deps --no-binary :all: buildbot
    mkdir source && tar xzf buildbot-*.tar.gz --strip-components=1 -C source
    ;;
run)
    cd source
    python -m twisted.trial --reactor="$REACTOR" buildbot
    ;;
esac
