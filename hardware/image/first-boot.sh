#!/bin/sh
# Makes a stock system into a board, from the folder "adrift" on the boot partition. It may be cut off anywhere (a person pulls
# the plug) and is then run again from its beginning; when it has finished it takes the folder away, keys and all.
#
# What goes wrong it says on the console, in the journal, by SOS on the green LED, and in adrift-failed.txt on the boot
# partition, which any laptop can read.
set -eu
umask 022
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

# Where the system is; a test gives a folder.
root=${ADRIFT_ROOT:-}
for boot in "$root/boot/firmware" "$root/boot"; do
  if [ -d "$boot/adrift" ]; then break; fi
done
card=$boot/adrift
failed=$boot/adrift-failed.txt
node_lowest=20.19

main() {
  if [ -f "$root/etc/adrift/card" ] && cmp -s "$root/etc/adrift/card" "$card/card"; then
    # It was cut off while it cleaned up.
    clean_up
    return
  fi
  check_card
  go_on_with_newest
  # Until all is in place no board runs here: one that is to found a cluster gets a new log below.
  run systemctl disable adrift.service 2>/dev/null || true
  run systemctl stop --no-block adrift.service 2>/dev/null || true

  set_clock
  install_system_files
  install_node
  install_board
  set_up_network
  found
  run systemctl enable adrift.service adrift-update-trial.service
  sync

  install -m 644 "$card/card" "$root/etc/adrift/card.new"
  mv "$root/etc/adrift/card.new" "$root/etc/adrift/card"
  sync
  clean_up
  bring_up
  say "this card is $(cat "$root/etc/adrift/name"), ready"
}

# Nothing is begun with half of the files, nor where writes are thrown away.
check_card() {
  if [ "$(findmnt -no FSTYPE "$root/" 2>/dev/null || true)" = overlay ]; then
    fail "The root is an overlay, which forgets at each start what a board must not forget. Switch it off (raspi-config, Performance, Overlay File System)."
  fi
  (cd "$card" && sha256sum --check --quiet --strict SHA256SUMS) ||
    fail "Files on the boot partition are missing or damaged. Write the card again with adrift flash."
}

# A card that is written again without its image still has the script of the first time.
go_on_with_newest() {
  if [ -n "$root" ] || [ ! -f "$card/first-boot.sh" ] || cmp -s "$0" "$card/first-boot.sh"; then return; fi
  install -m 644 "$card/first-boot.sh" "$0.new"
  mv "$0.new" "$0"
  exec sh "$0"
}

# Without a battery the clock may show a time before the keys were made, and then nobody would believe them.
set_clock() {
  flashed=$(cat "$card/flashed-at")
  if [ "$(date +%s)" -lt "$flashed" ]; then run date -s "@$flashed" >/dev/null; fi
}

install_system_files() {
  place adrift.service /etc/systemd/system/adrift.service
  place adrift-back-off.conf /etc/systemd/system/adrift.service.d/back-off.conf
  place adrift-update.conf /etc/systemd/system/adrift.service.d/update.conf
  place adrift-update-trial.service /etc/systemd/system/adrift-update-trial.service
  place adrift-update.sh /usr/local/lib/adrift/adrift-update.sh
  place adrift-update-receive.mjs /usr/local/lib/adrift/adrift-update-receive.mjs
  place sysusers.conf /usr/lib/sysusers.d/adrift.conf
  place 90-adrift.rules /etc/udev/rules.d/90-adrift.rules
  place journald.conf /etc/systemd/journald.conf.d/90-adrift.conf
  place watchdog.conf /etc/systemd/system.conf.d/90-adrift.conf
  place timesyncd.conf /etc/systemd/timesyncd.conf.d/90-adrift.conf
  if [ -f "$card/10-adrift-100mbps.link" ]; then
    place 10-adrift-100mbps.link /etc/systemd/network/10-adrift-100mbps.link
  else
    rm -f "$root/etc/systemd/network/10-adrift-100mbps.link"
  fi
  if [ -f "$card/adrift-console.conf" ]; then
    place adrift-console.conf /etc/systemd/system/adrift.service.d/console.conf
    for line in ttyS0 ttyAMA0 ttyAMA10; do
      run systemctl mask "serial-getty@$line.service" 2>/dev/null || true
    done
  else
    rm -f "$root/etc/systemd/system/adrift.service.d/console.conf"
  fi
  run systemd-sysusers "$root/usr/lib/sysusers.d/adrift.conf"

  # Seen by nobody else, never executed, no devices: mounted over itself, for the whole card is one partition.
  install -d -m 700 "$root/var/lib/adrift"
  run chown adrift:adrift "$root/var/lib/adrift"
  if ! grep -q '[[:space:]]/var/lib/adrift[[:space:]]' "$root/etc/fstab"; then
    echo "/var/lib/adrift /var/lib/adrift none bind,nodev,nosuid,noexec,noatime,nofail 0 0" >>"$root/etc/fstab"
  fi
}

# The copy that was brought along, or the system's own, or the one from the system's packages.
install_node() {
  install -d "$root/opt/adrift/bin"
  if [ -f "$card/node.tar.xz" ] || [ -f "$card/node.tar.gz" ]; then
    rm -rf "$root/opt/adrift/node.new"
    install -d "$root/opt/adrift/node.new"
    tar -xf "$card"/node.tar.?z -C "$root/opt/adrift/node.new" --strip-components=1 ||
      fail "The copy of Node on the card cannot be unpacked. Write the card again with adrift flash."
    rm -rf "$root/opt/adrift/node"
    mv "$root/opt/adrift/node.new" "$root/opt/adrift/node"
    ln -sfn ../node/bin/node "$root/opt/adrift/bin/node"
  else
    if ! run command -v node >/dev/null; then
      say "fetching Node from the system's packages"
      { run apt-get update -q && run env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends nodejs; } ||
        fail "Node is not on this card and could not be fetched. Is there a way to the Internet? Or write the card again with adrift flash --node FILE."
    fi
    ln -sfn "$(run command -v node)" "$root/opt/adrift/bin/node"
  fi
  version=$("$root/opt/adrift/bin/node" --version) ||
    fail "Node does not run here. Is it the one for this machine ($(uname -m))? Write the card again with another --node."
  if [ "$(printf '%s\n' "$node_lowest" "${version#v}" | sort -V | head -n 1)" != "$node_lowest" ]; then
    fail "Node is $version here, and a board needs $node_lowest or later. Write the card again with adrift flash --node FILE."
  fi
}

# Board and configuration; keys are read by the board's group alone.
install_board() {
  place board.mjs /opt/adrift/board.mjs
  # What was on trial here before the card was written is over.
  rm -rf "$root/opt/adrift/update"
  install -d -m 750 "$root/etc/adrift" "$root/etc/adrift/keys"
  for file in "$card"/keys/*.pem; do
    install -m 640 "$file" "$root/etc/adrift/keys/"
  done
  install -m 640 "$card/board.yaml" "$root/etc/adrift/board.yaml"
  install -m 644 "$card/name" "$root/etc/adrift/name"
  run chown -R root:adrift "$root/etc/adrift"
}

# Systems with cloud-init have their network from it, and then none of these files is on the card.
set_up_network() {
  if [ -f "$card/adrift.nmconnection" ] && [ -d "$root/etc/NetworkManager/system-connections" ]; then
    install -m 600 "$card/adrift.nmconnection" "$root/etc/NetworkManager/system-connections/adrift.nmconnection"
  elif [ -f "$card/50-adrift.network" ]; then
    place 50-adrift.network /etc/systemd/network/50-adrift.network
  fi
  if [ -f "$card/authorized_keys" ]; then
    install -d -m 700 "$root/root/.ssh"
    install -m 600 "$card/authorized_keys" "$root/root/.ssh/authorized_keys"
  fi
  if [ -f "$card/hostname" ]; then
    sed -i '/^127\.0\.1\.1[[:space:]]/d' "$root/etc/hosts"
    echo "127.0.1.1 $(cat "$card/hostname")" >>"$root/etc/hosts"
  fi
}

# A board that founds the cluster gets a log in which it has a vote. Whatever was there before belongs to another cluster.
found() {
  if [ ! -f "$card/founds" ]; then return; fi
  rm -rf "$root/var/lib/adrift/log" "$root/var/lib/adrift/boot" "$root/var/lib/adrift/flight" "$root/var/lib/adrift/lock"
  run setpriv --reuid=adrift --regid=adrift --clear-groups \
    "$root/opt/adrift/bin/node" "$root/opt/adrift/board.mjs" --config "$root/etc/adrift/board.yaml" --provision ||
    fail "The board's log could not be made: see above."
}

# Keys first: nobody who borrows the card finds them there.
clean_up() {
  rm -rf "$card/keys"
  rm -f "$failed"
  sync
  find "$card" -mindepth 1 ! -name card -delete
  rm -rf "$card"
  sync
}

bring_up() {
  run systemctl daemon-reload
  run udevadm control --reload || true
  run udevadm trigger --action=add --subsystem-match=leds --subsystem-match=net || true
  run systemctl restart systemd-journald systemd-timesyncd 2>/dev/null || true
  run mount /var/lib/adrift 2>/dev/null || true
  run systemctl start --no-block adrift.service
}

place() {
  install -D -m 644 "$card/$1" "$root$2.new"
  mv "$root$2.new" "$root$2"
}

# What acts on the running system; a test notes it instead.
run() {
  if [ -z "${ADRIFT_RUN:-}" ]; then "$@"; else "$ADRIFT_RUN" "$@"; fi
}

say() {
  echo "adrift: $*"
}

fail() {
  say "$*"
  echo "$*" >"$failed" || true
  sync
  if [ -z "$root" ]; then sos; fi
  exit 1
}

# Three short, three long, three short, four times.
sos() {
  led=$(ls -d /sys/class/leds/ACT /sys/class/leds/led0 2>/dev/null | head -n 1)
  if [ -z "$led" ]; then return; fi
  echo none >"$led/trigger" || return 0
  for _ in 1 2 3 4; do
    for seconds in 0.2 0.2 0.2 0.6 0.6 0.6 0.2 0.2 0.2; do
      echo 1 >"$led/brightness"
      sleep "$seconds"
      echo 0 >"$led/brightness"
      sleep 0.2
    done
    sleep 1
  done
}

main
