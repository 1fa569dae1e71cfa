#!/bin/sh
# Writes a tree as an image of a card: an MBR, the boot partition (FAT32, label RASPIFIRM) and the root (ext4, RASPIROOT).
# No loop device, no mount. The size is a power of two, as QEMU's emulated SD cards want it.
#
#   sh card.sh TREE OUT.img
set -eu

tree=$1 out=$2
total=1024 boot=128 gap=4
rest=$((total - boot - gap))
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT

# What goes on the boot partition is not on the root: there it is a mount point.
mv "$tree/boot/firmware" "$parts/firmware"
mkdir "$tree/boot/firmware"

truncate -s "${boot}M" "$parts/boot"
mkfs.vfat -F 32 -n RASPIFIRM "$parts/boot" >/dev/null
MTOOLS_SKIP_CHECK=1 mcopy -s -i "$parts/boot" "$parts"/firmware/* ::/
mke2fs -q -t ext4 -L RASPIROOT -E lazy_itable_init=1 -d "$tree" "$parts/root" "${rest}M" >/dev/null

rm -f "$out"
truncate -s "${total}M" "$out"
sfdisk --quiet "$out" <<LAYOUT
label: dos
label-id: 0xad21f700
start=${gap}MiB, size=${boot}MiB, type=c, bootable
start=$((gap + boot))MiB, size=${rest}MiB, type=83
LAYOUT
dd if="$parts/boot" of="$out" bs=1M seek="$gap" conv=notrunc,sparse status=none
dd if="$parts/root" of="$out" bs=1M seek=$((gap + boot)) conv=notrunc,sparse status=none
