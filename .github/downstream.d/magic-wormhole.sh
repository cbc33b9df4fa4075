#!/usr/bin/env bash
# magic-wormhole, files from one computer to another: its tests are in its wheel, and use servers and relays that they start.
set -eu
case "$1" in
install) python -m pip install --quiet 'magic-wormhole[dev]' ;;
run) python -m pytest -q -rfE -p no:cacheprovider --pyargs wormhole ;;
esac
