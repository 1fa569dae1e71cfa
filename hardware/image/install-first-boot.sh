#!/bin/sh
# Called by what the stock system runs at its first boot: puts first-boot.sh and its unit in place, to be run at each boot until
# it has succeeded.
#
#   sh install-first-boot.sh now     begins at once
#   sh install-first-boot.sh later   at the next boot
set -eu
card=$(dirname "$0")
mkdir -p /usr/local/lib/adrift
install -m 644 "$card/first-boot.sh" /usr/local/lib/adrift/first-boot.sh
install -m 644 "$card/adrift-first-boot.service" /etc/systemd/system/adrift-first-boot.service
systemctl daemon-reload || true
systemctl enable adrift-first-boot.service
sync
if [ "$1" = now ]; then systemctl start --no-block adrift-first-boot.service; fi
