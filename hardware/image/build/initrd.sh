#!/bin/sh
# Makes the initial ramdisk: busybox, init, and the modules without which the kernel cannot reach its root on the card of a
# Raspberry Pi 3 or 4, or on the disk of a virtual machine.
#
#   sh initrd.sh TREE OUT
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
tree=$1 out=$2
kernel=$(ls "$tree/usr/lib/modules")
modules=$tree/usr/lib/modules/$kernel
wanted="ext4 crc32c_generic virtio_blk virtio_mmio sdhci-iproc bcm2835 fixed gpio-regulator reset-raspberrypi"

initrd=$(mktemp -d)
trap 'rm -rf "$initrd"' EXIT
mkdir -p "$initrd/bin" "$initrd/sbin" "$initrd/dev" "$initrd/proc" "$initrd/sys" "$initrd/root" "$initrd/lib/modules/$kernel"
cp "$tree/usr/bin/busybox" "$initrd/bin/busybox"
ln -s busybox "$initrd/bin/sh"
# Where the kernel itself looks for it.
ln -s ../bin/busybox "$initrd/sbin/modprobe"
install -m 755 "$here/initrd-init" "$initrd/init"

# A module's file and those of all that it needs, as modules.dep says.
for module in $wanted; do
  line=$(grep -E "/$module\.ko(\.xz)?:" "$modules/modules.dep") || continue
  for file in $(echo "$line" | tr -d :); do
    name=$(basename "$file" .xz)
    [ -e "$initrd/lib/modules/$kernel/$name" ] && continue
    # Unpacked here once, not at each boot.
    case $file in
      *.xz) xz -dc "$modules/$file" >"$initrd/lib/modules/$kernel/$name" ;;
      *) cp "$modules/$file" "$initrd/lib/modules/$kernel/$name" ;;
    esac
  done
done
cp "$modules/modules.order" "$modules/modules.builtin" "$modules/modules.builtin.modinfo" "$initrd/lib/modules/$kernel/"
depmod -b "$initrd" "$kernel"

(cd "$initrd" && find . | sort | cpio --quiet -o -H newc) >"$out"
