#!/bin/sh
# From unpacked packages to an image. To be run under fakeroot, so that files can belong to whom they shall belong.
#
#   fakeroot -- sh assemble.sh PACKAGES.tar BOARD.mjs WORK OUT.img
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/tools.sh"
packages=$1 board=$2 work=$3 out=$4
tree=$work/tree

mkdir "$tree"
tar -xf "$packages" -C "$tree" --exclude=./dev
sh "$here/settle.sh" "$tree" "$board"
sh "$here/initrd.sh" "$tree" "$tree/boot/firmware/initrd.img"
sh "$here/card.sh" "$tree" "$out"
