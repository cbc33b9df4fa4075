#!/usr/bin/env bash
# prometheus_client: the resource for twisted.web; its tests are in its source distribution only.
set -eu
case "$1" in
install)
    python -m pip install --quiet prometheus_client pytest
    python -m pip download --quiet --no-deps --no-binary :all: prometheus_client
    mkdir source && tar xzf prometheus_client-*.tar.gz --strip-components=1 -C source
    ;;
run) python -m pytest -q -rfE -p no:cacheprovider source/tests/test_twisted.py ;;
esac
