#!/usr/bin/env bash
# Twisted itself: all of its own tests.
# Differs: twisted.test.test_tcp.HalfCloseTests.testCloseWriteCloser waits for a private list of Twisted's transports to be empty.
set -eu
export LC_ALL=C.UTF-8
case "$1" in
install)
    python -m pip install --quiet 'Twisted[all_non_platform]' bcrypt appdirs pyhamcrest hypothesis httpx cython-test-exception-raiser
    ;;
run) python -m twisted.trial --reactor="$REACTOR" twisted ;;
esac
