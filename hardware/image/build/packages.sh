#!/bin/sh
# Fetches Debian's packages for arm64 and unpacks them into CACHE/packages.tar, unless they are there already.
#
#   sh packages.sh CACHE
#
# They are unpacked only: their maintainer scripts are programs for arm64, and would need an emulator and rights that this
# does not ask for. What they would have done for a board does settle.sh.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/tools.sh"
cache=$1
release=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Where this machine's own apt gets Debian from: the same place has all releases and architectures.
mirror() {
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Identifier: Packages' |
    sed -n 's/^Debian|Debian|//p' | head -n 1
}

# As words of the command line: one option for each line of a list that is no comment.
options() {
  sed -n -e '/^#/d' -e "s|^..*|--dpkgopt=path-exclude=&|p" "$1"
}

wanted=$(cat "$here/packages.txt" "$here/left-out.txt" "$here/packages.sh" | sha256sum | cut -d ' ' -f 1)
if [ "$(cat "$cache/packages.wanted" 2>/dev/null)" = "$wanted" ]; then
  say "Debian's packages are those of $(date -r "$cache/packages.tar" +%F), in $cache. Remove that folder to fetch newer ones."
  exit 0
fi

from=$(mirror)
[ -n "$from" ] || {
  say "This machine's apt knows no Debian archive, so it is not known where to get packages from. On Debian, run"
  say "\"sudo apt-get update\"; elsewhere make the image on a Debian machine or in a Debian container."
  exit 69
}
[ -e "$keyring" ] || {
  say "$keyring is missing, so nobody could tell whether packages are Debian's: install debian-archive-keyring."
  exit 69
}

say "Fetching Debian's packages: about 150 MB, and half a minute on a fast line."
rm -f "$cache/packages.wanted"
names=$(sed -e '/^#/d' -e '/^$/d' "$here/packages.txt" | paste -sd ,)
log=$cache/packages.log
# The tree holds the packages' files when the hook runs, and their names with versions.
options "$here/left-out.txt" | xargs -d '\n' fakeroot -- mmdebstrap --mode=chrootless --format=tar --architectures=arm64 --variant=extract \
  --skip=check/qemu --include="$names" \
  --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
  --extract-hook='for deb in "$1"/var/cache/apt/archives/*.deb; do dpkg-deb --show --showformat="\${Package} \${Version}\n" "$deb"; done > "$1/packages.versions"' \
  "$release" "$cache/packages.tar.part" \
  "deb [signed-by=$keyring] $from $release main non-free-firmware" 2>"$log" || {
  say "mmdebstrap failed; the end of $log:"
  tail -n 5 "$log" >&2
  exit 1
}
tar -xOf "$cache/packages.tar.part" ./packages.versions >"$cache/packages.versions"
mv "$cache/packages.tar.part" "$cache/packages.tar"
echo "$wanted" >"$cache/packages.wanted"
