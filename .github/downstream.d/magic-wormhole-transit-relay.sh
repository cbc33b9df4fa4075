#!/usr/bin/env bash
# magic-wormhole-transit-relay, which hands the bytes of wormholes on: TCP and websockets.
set -eu
case "$1" in
install) python -m pip install --quiet magic-wormhole-transit-relay ;;
run) python -m twisted.trial --reactor="$REACTOR" wormhole_transit_relay ;;
esac
