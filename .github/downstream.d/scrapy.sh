#!/usr/bin/env bash
# scrapy, crawlers: HTTP/1.1, HTTP/2 and TLS clients against servers that the tests start; its tests are in its source distribution only.
set -eu
case "$1" in
install)
    python -m pip install --quiet scrapy
    python -m pip download --quiet --no-deps --no-binary :all: scrapy
    mkdir source && tar xzf scrapy-*.tar.gz --strip-components=1 -C source
    python -m pip install --quiet pytest pytest-twisted sybil testfixtures pexpect attrs 'httpx[http2]' pyftpdlib
    ;;
run)
    cd source
    python -m pytest -q -rfE -p no:cacheprovider --reactor=default tests
    ;;
esac
