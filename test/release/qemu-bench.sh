#!/bin/sh
# Once per release: ready experiments on the QEMU bench, with three emulated boards. Every verdict must be "valid".
#
#   sh test/release/qemu-bench.sh [EXPERIMENT...]
#
# On two cores that have nothing else to do it takes about 12 minutes, and 2 more when the image is made anew. It needs
# qemu-system-arm, qemu-utils, mtools, iproute2, and what hardware/image/build/make.sh asks for.
set -eu

cd "$(dirname -- "$0")/../.."
[ $# -gt 0 ] || set -- cut-leader cut-follower power-cut-all rolling-restart
began=$(date +%s)
failed=
for experiment in "$@"; do
  echo "== $experiment, after $(($(date +%s) - began)) s"
  node bin/adrift.mjs run "$experiment" --bench qemu:three-boards --seed 1 || failed="$failed $experiment"
done
echo "== all done after $(($(date +%s) - began)) s"
[ -z "$failed" ] || { echo "Not valid:$failed" >&2; exit 1; }
