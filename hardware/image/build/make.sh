#!/bin/sh
# Makes a whole image of our own for a board: arm64 Debian with Node, the board's program and its systemd unit.
#
#   sh hardware/image/build/make.sh OUT.img [CACHE]
#
# OUT.img is for an SD card, or for QEMU: an MBR, a FAT partition as the firmware of a Raspberry Pi wants it, and ext4.
# Nothing is mounted, and nobody needs to be root. What comes from Debian is kept in the folder CACHE and asked for again
# only when packages.txt, left-out.txt or the name of the release changes; without CACHE it is fetched each time.
#
# ADRIFT_IMAGE_BOARD names the board's bundle; without it, it is bundled from this checkout.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/tools.sh"
[ $# -ge 1 ] && [ $# -le 2 ] || { echo "Usage: sh $0 OUT.img [CACHE]" >&2; exit 64; }
need_tools

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

out=$(absolute "$1")
cache=${2:-$work/cache}
mkdir -p "$cache"
cache=$(absolute "$cache")
began=$(date +%s)

board=${ADRIFT_IMAGE_BOARD:-}
if [ -z "$board" ]; then
  (cd "$here/../../.." && node bundle.mjs "$work/bundle" >/dev/null)
  board=$work/bundle/board.mjs
fi

sh "$here/packages.sh" "$cache"
# One fakeroot for all steps: it remembers who owns what in the tree, up to the file system that is made of it.
fakeroot -- sh "$here/assemble.sh" "$cache/packages.tar" "$board" "$work" "$out.part"
mv "$out.part" "$out"

say "$out: $(($(stat -c %s "$out") / 1048576)) MiB, of which $(($(stat -c '%b*%B' "$out") / 1048576)) MiB are used, in $(($(date +%s) - began)) s"
grep -E '^(linux-image-[0-9].*|nodejs|systemd|raspi-firmware|gpiod|libc6) ' "$cache/packages.versions"
