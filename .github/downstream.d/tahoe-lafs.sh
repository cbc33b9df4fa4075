#!/usr/bin/env bash
# tahoe-lafs, a file store on many servers: foolscap, HTTP and TLS between grids that the tests start.
set -eu
case "$1" in
install) python -m pip install --quiet 'tahoe-lafs[test]' ;;
run) python -m twisted.trial --reactor="$REACTOR" allmydata ;;
esac
