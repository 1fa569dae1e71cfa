#!/bin/sh
# Makes a system of unpacked packages: what their maintainer scripts would have done and a board needs, the files of this
# folder and the one above, and the board's program.
#
#   sh settle.sh TREE BOARD.mjs
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/tools.sh"
tree=$1 board=$2

# put FILE PLACE: a file of the folder above, where its first lines say that it belongs.
put() {
  install -D -m 644 "$here/../$1" "$tree/$2"
}

# base-passwd, base-files, dash.
cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
for folder in dev proc sys run tmp boot/firmware etc/adrift etc/systemd/system-generators; do mkdir -p "$tree/$folder"; done
chmod 1777 "$tree/tmp"
[ -e "$tree/usr/bin/sh" ] || ln -s dash "$tree/usr/bin/sh"

# Ours.
cp -r "$here/files/." "$tree/"
put adrift.service usr/lib/systemd/system/adrift.service
put adrift-back-off.conf etc/systemd/system/adrift.service.d/back-off.conf
put adrift-first-boot.service usr/lib/systemd/system/adrift-first-boot.service
put first-boot.sh usr/local/lib/adrift/first-boot.sh
put sysusers.conf usr/lib/sysusers.d/adrift.conf
put 90-adrift.rules etc/udev/rules.d/90-adrift.rules
put journald.conf etc/systemd/journald.conf.d/90-adrift.conf
put timesyncd.conf etc/systemd/timesyncd.conf.d/90-adrift.conf
put watchdog.conf etc/systemd/system.conf.d/90-adrift.conf
install -D -m 644 "$board" "$tree/opt/adrift/board.mjs"
mkdir "$tree/opt/adrift/bin"
ln -s /usr/bin/node "$tree/opt/adrift/bin/node"
install -D -m 644 "$tree/packages.versions" "$tree/usr/share/adrift/packages.versions"
rm "$tree/packages.versions"

# Users that the packages and the board want. An older systemd-sysusers does not know the "u!" of a newer one: locked users,
# which those without a password are anyway.
cat "$tree"/usr/lib/sysusers.d/*.conf | sed 's/^u!/u/' | systemd-sysusers --root="$tree" - 2>/dev/null

# Units that start.
systemctl --root="$tree" --quiet preset-all
systemctl --root="$tree" --quiet set-default multi-user.target
sed '/^#/d; /^$/d' "$here/masked.txt" | while read -r name; do
  case $name in
    *-generator) ln -sf /dev/null "$tree/etc/systemd/system-generators/$name" ;;
    *) ln -sf /dev/null "$tree/etc/systemd/system/$name" ;;
  esac
done
: >"$tree/etc/machine-id"
# The system is as new as /etc and /var: no unit has to bring them up to date at the first boot.
touch "$tree/etc/.updated" "$tree/var/.updated"

# The kernel's modules, and the boot partition of a Raspberry Pi.
kernel=$(ls "$tree/usr/lib/modules")
depmod -b "$tree" "$kernel"
mv "$tree/boot/vmlinuz-$kernel" "$tree/boot/firmware/vmlinuz"
firmware=$tree/usr/lib/raspi-firmware
cp -r "$firmware"/*.bin "$firmware"/*.dat "$firmware"/*.elf "$firmware/overlays" "$tree/boot/firmware/"
devices=$tree/usr/lib/linux-image-$kernel
cp "$devices"/broadcom/bcm2711*.dtb "$devices"/broadcom/bcm2837*.dtb "$tree/boot/firmware/"
# On the boot partition they are of use; a second time they only take room.
rm -rf "$firmware" "$devices"
