# What the scripts of this folder share. To be read in with `.`.

say() {
  echo "$*" >&2
}

absolute() {
  echo "$(CDPATH= cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")"
}

# Programs of a plain user are often not in the way of one who is not root.
PATH=$PATH:/usr/sbin:/sbin

# Ends with the packages to install if a program is missing.
need_tools() {
  missing=
  while read -r program package; do
    command -v "$program" >/dev/null || missing="$missing $package"
  done <<'LIST'
apt-get apt
mmdebstrap mmdebstrap
fakeroot fakeroot
mke2fs e2fsprogs
mkfs.vfat dosfstools
mcopy mtools
sfdisk fdisk
depmod kmod
cpio cpio
xz xz-utils
systemctl systemd
systemd-sysusers systemd
node nodejs
LIST
  [ -z "$missing" ] && return
  missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
  say "To make an image, install first: $missing"
  say "On Debian or Ubuntu: sudo apt-get install $missing"
  exit 69
}
