#!/usr/bin/env bash
# scrapy, crawlers: those of its tests that crawl, from servers that they start, over HTTP/1.1, HTTP/2, TLS and FTP; its source distribution has them.
set -eu
case "$1" in
install)
    python -m pip install --quiet scrapy pytest pytest-twisted pytest-rerunfailures pytest-timeout sybil testfixtures pexpect psutil pyftpdlib h2
    python -m pip download --quiet --no-deps --no-binary :all: scrapy
    mkdir source && tar xzf scrapy-*.tar.gz --strip-components=1 -C source
    ;;
run)
    cd source
    python -m pytest -q -rfE -p no:cacheprovider -W default --reactor=default \
        tests/test_{closespider,crawl,downloader_handler_twisted_*,engine*,http2*,pipeline_crawl,request_left,resolver,utils_defer,utils_reactor}.py
    ;;
esac
