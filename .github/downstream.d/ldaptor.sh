#!/usr/bin/env bash
# ldaptor, LDAP servers and clients: its tests are in its wheel.
set -eu
case "$1" in
install) python -m pip install --quiet ldaptor ;;
run) python -m twisted.trial --reactor="$REACTOR" ldaptor ;;
esac
