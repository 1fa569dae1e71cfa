#!/bin/sh
# Once per release: experiments on the QEMU bench, with three emulated boards, and its tests. Every verdict must be "valid".
#
#   sh test/release/qemu-bench.sh [EXPERIMENT...]
#
# On two cores that have nothing else to do it takes about 15 minutes, and 2 more when the image is made anew. It needs
# qemu-system-arm, qemu-utils, mtools, iproute2, and what hardware/image/build/make.sh asks for.
set -eu

cd "$(dirname -- "$0")/../.."
[ $# -gt 0 ] || set -- cut-leader cut-follower flapping-cable test/release/power-cut.yaml
began=$(date +%s)
failed=
ADRIFT_RELEASE_TESTS=1 npx vitest run --config vitest.system.config.ts controller/bench/qemu || failed=" tests"
for experiment in "$@"; do
  echo "== $experiment, after $(($(date +%s) - began)) s"
  node bin/adrift.mjs run "$experiment" --bench qemu:three-boards --seed 1 || failed="$failed $experiment"
done
echo "== all done after $(($(date +%s) - began)) s"
[ -z "$failed" ] || { echo "Failed or not valid:$failed" >&2; exit 1; }
