#!/usr/bin/env bash
# magic-wormhole-mailbox-server, where wormholes meet: websockets and HTTP.
set -eu
case "$1" in
install) python -m pip install --quiet magic-wormhole-mailbox-server treq ;;
run) python -m twisted.trial --reactor="$REACTOR" wormhole_mailbox_server ;;
esac
