#!/usr/bin/env bash
# Slicewise in a kind cluster from which both originals are absent: the walk of the demo, fail-over, a rolling restart, and a swap to
# the originals and back, all while others ask without a pause and not one of their requests may fail.
#
# Needs docker, kind 0.31 or later, kubectl and node. `npm run e2e:kind`, with these variables if you like:
#   NODE_IMAGE=kindest/node:v1.34.0   another Kubernetes, 1.30 to 1.37   IP_FAMILY=ipv4   for a docker without IPv6
#   KEEP=1                            leave the cluster in place         SKIP_BUILD=1     use the images that are there
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
LOGS=${LOGS:-$ROOT/.slicewise/kind-logs}
readonly HERE ROOT LOGS
# shellcheck source-path=SCRIPTDIR
source "$HERE/lib.sh"

for program in docker kind kubectl node; do
  command -v "$program" > /dev/null || fail "$program is installed"
done
docker info > /dev/null 2>&1 || fail 'docker is running'

leave() {
  local status=$?
  trap - EXIT
  if ((status != 0)); then
    mkdir -p "$LOGS"
    kind export logs "$LOGS" --name "$CLUSTER" > /dev/null 2>&1 || true
    printf '\nfailed; logs of all nodes and Pods are in %s\n' "$LOGS" >&2
  fi
  if [[ -z ${KEEP:-} ]]; then
    docker rm --force slicewise-outside > /dev/null 2>&1 || true
    kind delete cluster --name "$CLUSTER" > /dev/null 2>&1 || true
  fi
  exit "$status"
}
trap leave EXIT

for step in "$HERE"/steps/*.sh; do
  # shellcheck source=/dev/null
  source "$step"
done

title "all is well after $SECONDS s"
