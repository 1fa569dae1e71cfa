#!/bin/sh
# Changes the board's program, on trial: unless its controller confirms the new one in time, the old one comes back.
#
# The program is /opt/adrift/board.mjs, a link to one of the releases, each in a folder named by its SHA-256. A change is the
# renaming of that link. The trial's file is on the card before the link changes and goes when it is over, so whoever finds
# it after a power cut knows what is to be done: the board's unit (at each start), the trial's own unit (after its time), or
# the next controller.
#
#   state                        what runs here, and on which terms
#   claim TOKEN SECONDS          nobody else changes programs for so long; again: for so long from now on
#   unclaim TOKEN
#   put SHA256                   takes a signed release from standard input
#   switch SHA256 TOKEN SECONDS  begins a trial of it
#   confirm SHA256 TOKEN         the trial has gone well
#   revert SHA256 TOKEN          the trial has gone badly
#   starting                     by adrift.service, before each start
#   watch                        by adrift-update-trial.service
set -eu
umask 022
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# A controller that is cut off ends nothing half-way.
trap '' HUP PIPE

# Where the system is; a test gives a folder.
root=${ADRIFT_ROOT:-}
opt=$root/opt/adrift
program=$opt/board.mjs
releases=$opt/releases
folder=$opt/update
trial=$folder/trial
last=$folder/last
# Gone after a restart of the machine, as its controller shall learn.
claim=$root/run/adrift-update/claim
starts_max=3

main() {
  command=${1:-}
  sha256=${2:-}
  case $command in
    state | starting | watch) ;;
    claim) is_hexadecimal "${2:-}" 32 && is_number "${3:-}" ;;
    unclaim) is_hexadecimal "${2:-}" 32 ;;
    put) is_hexadecimal "${2:-}" 64 ;;
    switch) is_hexadecimal "${2:-}" 64 && is_hexadecimal "${3:-}" 32 && is_number "${4:-}" ;;
    confirm | revert) is_hexadecimal "${2:-}" 64 && is_hexadecimal "${3:-}" 32 ;;
    *) fail "$0 does not know \"$command\"." ;;
  esac || fail "$command: these are not its arguments: $*"
  shift
  mkdir -p "$releases" "$folder"
  case $command in
    state) tell_state ;;
    claim) take_claim "$1" "$2" ;;
    unclaim) drop_claim "$1" ;;
    put) put_release ;;
    switch) begin_trial "$2" "$3" ;;
    confirm) confirm_trial "$2" ;;
    revert) revert_trial "$2" ;;
    starting) count_start ;;
    watch) watch_trial ;;
  esac
}

tell_state() {
  lock
  echo "current=$(current)"
  echo "last=$(cat "$last" 2>/dev/null || true)"
  if is_on_trial; then sed 's/^/trial-/' "$trial"; fi
  unlock
}

# Two controllers would take two boards down at once.
take_claim() {
  lock
  end_what_was_cut_off
  if is_on_trial && [ "$(field "$trial" token)" != "$1" ]; then
    refuse "a program is on trial here, of another controller or of one that has died; the trial ends by itself within $(field "$trial" seconds) s"
  fi
  if [ -f "$claim" ] && [ "$(field "$claim" token)" != "$1" ] && [ "$(field "$claim" until)" -gt "$(uptime_s)" ]; then
    refuse "another controller is at work here; if it has died, its claim ends by itself in $(($(field "$claim" until) - $(uptime_s))) s"
  fi
  mkdir -p "$(dirname "$claim")"
  printf 'token=%s\nuntil=%s\n' "$1" "$(($(uptime_s) + $2))" >"$claim.new"
  mv -f "$claim.new" "$claim"
  unlock
}

drop_claim() {
  lock
  if [ "$(field "$claim" token)" = "$1" ]; then rm -f "$claim"; fi
  unlock
}

# Receiving takes a while, so nobody is locked out meanwhile.
put_release() {
  unpacked=$releases/$sha256.$$.new
  rm -rf "$unpacked"
  mkdir "$unpacked"
  if ! "$opt/bin/node" "$(dirname "$0")/adrift-update-receive.mjs" "$sha256" "$root/etc/adrift" "$unpacked/board.mjs"; then
    rm -rf "$unpacked"
    exit 1
  fi
  lock
  if is_whole "$sha256"; then
    rm -rf "$unpacked"
  else
    rm -rf "${releases:?}/$sha256"
    mv "$unpacked" "$releases/$sha256"
    sync "$releases"
  fi
  unlock
}

begin_trial() {
  lock
  end_what_was_cut_off
  if is_on_trial; then
    if is_trial "$1"; then return; fi
    refuse "another program is on trial here"
  fi
  if [ "$(field "$claim" token)" != "$1" ] || [ "$(field "$claim" until)" -le "$(uptime_s)" ]; then
    refuse "the claim on this board has run out, or went with a restart of the machine"
  fi
  is_whole "$sha256" || refuse "the release $sha256 is not here, or not whole"
  if [ "$(current)" = "$sha256" ]; then return; fi
  adopt
  old=$(current)
  printf 'new=%s\nold=%s\ntoken=%s\nseconds=%s\nstarts=0\n' "$sha256" "$old" "$1" "$2" | replace "$trial"
  # Before the change: nothing is on trial that nobody watches.
  if ! run systemctl restart --no-block adrift-update-trial.service 9>&-; then
    rm -f "$trial"
    refuse "systemd does not start adrift-update-trial.service"
  fi
  point_at "$sha256"
  run systemctl restart --no-block adrift.service 9>&-
  unlock
}

confirm_trial() {
  lock
  if is_on_trial && is_trial "$1"; then
    if [ "$(field "$trial" starts)" -lt 1 ]; then refuse "the new program has not been started yet"; fi
    old=$(field "$trial" old)
    echo "confirmed $sha256" | replace "$last"
    rm -f "$trial"
    sync "$folder"
    prune "$old"
  elif [ "$(current)" != "$sha256" ] || [ "$(cat "$last" 2>/dev/null || true)" != "confirmed $sha256" ]; then
    refuse "it is not on trial any more"
  fi
  unlock
}

revert_trial() {
  lock
  if is_on_trial && is_trial "$1"; then undo "its controller took it back"; fi
  unlock
}

# A program that ends again and again is not given its whole time.
count_start() {
  if [ ! -f "$trial" ]; then return; fi
  lock
  if ! is_on_trial; then
    # Cut off before the trial began, or after it was undone: what starts now is the old program.
    rm -f "$trial"
    return
  fi
  starts=$(($(field "$trial" starts) + 1))
  if [ "$starts" -gt "$starts_max" ]; then
    note_undone "it ended $starts_max times"
    point_at "$(field "$trial" old)"
    rm -f "$trial"
  else
    sed "s/^starts=.*/starts=$starts/" "$trial" | replace "$trial"
  fi
  unlock
}

# After a power cut the time begins anew; the starts are still counted.
watch_trial() {
  watched=
  while [ -f "$trial" ]; do
    found=$(field "$trial" new)$(field "$trial" token)
    if [ -z "$found" ]; then continue; fi
    if [ "$found" != "$watched" ]; then
      watched=$found
      seconds=$(field "$trial" seconds)
      end=$(($(uptime_s) + ${seconds:-0}))
    fi
    if [ "$(uptime_s)" -ge "$end" ]; then
      lock
      if [ "$(field "$trial" new)$(field "$trial" token)" = "$watched" ]; then undo "it was not confirmed within $seconds s"; fi
      unlock
    else
      sleep 1
    fi
  done
}

# Back to the old program. Cut off anywhere, the next one who finds the trial's file ends what was begun.
undo() {
  if is_on_trial; then
    note_undone "$1"
    point_at "$(field "$trial" old)"
  fi
  run systemctl restart --no-block adrift.service 9>&-
  rm -f "$trial"
  sync "$folder"
}

note_undone() {
  echo "undone $(field "$trial" new) $1" | replace "$last"
}

# A trial whose program is not the current one was cut off before it began, or while it was undone. Which program runs then
# nobody can tell, so it is started anew.
end_what_was_cut_off() {
  if [ -f "$trial" ] && ! is_on_trial; then undo; fi
}

is_on_trial() {
  [ -f "$trial" ] && [ "$(current)" = "$(field "$trial" new)" ]
}

# The SHA-256 of the program: the name of its release, or, as long as it is the file that the card brought, its own.
current() {
  if target=$(readlink "$program"); then
    target=${target%/board.mjs}
    echo "${target##*/}"
  else
    sha256_of "$program"
  fi
}

# Makes the file that the card brought a release, so that there is a way back to it.
adopt() {
  if [ -L "$program" ]; then return; fi
  brought=$(current)
  if is_whole "$brought"; then return; fi
  rm -rf "${releases:?}/$brought" "$releases/$brought.new"
  mkdir "$releases/$brought.new"
  install -m 644 "$program" "$releases/$brought.new/board.mjs"
  sync "$releases/$brought.new/board.mjs" "$releases/$brought.new"
  mv "$releases/$brought.new" "$releases/$brought"
  sync "$releases"
}

# The change itself: one renaming, so at each moment there is a program.
point_at() {
  ln -sfn "releases/$1/board.mjs" "$opt/board.link"
  mv -fT "$opt/board.link" "$program"
  sync "$opt"
}

# All releases go but the current one and this one.
prune() {
  for each in "$releases"/*; do
    case ${each##*/} in
      "$(current)" | "$1") ;;
      *) rm -rf "$each" ;;
    esac
  done
}

is_whole() {
  [ -f "$releases/$1/board.mjs" ] && [ "$(sha256_of "$releases/$1/board.mjs")" = "$1" ]
}

is_trial() {
  [ "$(field "$trial" new)" = "$sha256" ] && [ "$(field "$trial" token)" = "$1" ]
}

sha256_of() {
  sha256sum <"$1" | cut -d ' ' -f 1
}

# A file is there whole or as it was before, whenever the power goes.
replace() {
  cat >"$1.new"
  sync "$1.new"
  mv -f "$1.new" "$1"
  sync "$folder"
}

field() {
  sed -n "s/^$2=//p" "$1" 2>/dev/null || true
}

uptime_s() {
  cut -d . -f 1 /proc/uptime
}

# Held until the script ends, or lets go.
lock() {
  exec 9>"$folder/lock"
  flock -w 10 9 || refuse "another process has been changing this board's program for 10 s"
}

unlock() {
  exec 9>&-
}

# What acts on the running system; a test notes it instead.
run() {
  if [ -z "${ADRIFT_RUN:-}" ]; then "$@"; else "$ADRIFT_RUN" "$@"; fi
}

is_hexadecimal() {
  case $1 in *[!0-9a-f]*) return 1 ;; esac
  [ "${#1}" -eq "$2" ]
}

is_number() {
  case $1 in "" | *[!0-9]*) return 1 ;; esac
  [ "${#1}" -le 4 ]
}

# Nothing was changed, for this reason.
refuse() {
  echo "$*" >&2
  exit 3
}

fail() {
  echo "$*" >&2
  exit 64
}

main "$@"
