#!/usr/bin/env bash
# Slicewise in a kind cluster from which both originals are absent: the walk of the demo, fail-over, a rolling restart, and a swap to
# the originals and back, all while others ask without a pause and not one of their requests may fail.
#
# Needs docker, kind 0.31 or later (0.32 for Kubernetes 1.36 and later), kubectl and node. `npm run e2e:kind`, with these variables
# if you like:
#   NODE_IMAGE=kindest/node:v1.34.0   another Kubernetes, 1.30 to 1.37   IP_FAMILY=ipv4   for a docker without IPv6
#   KEEP=1                            leave the cluster in place         SKIP_BUILD=1     use the images that are there
#   LOGS=FOLDER                       where logs go after a failure      PATIENCE=3       for a slow machine: wait so many times as long
# Your own kubeconfig is left alone. What stays are the two images.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
LOGS=${LOGS:-$ROOT/.slicewise/kind-logs}
IP_FAMILY=${IP_FAMILY:-dual}
readonly HERE ROOT LOGS IP_FAMILY
# shellcheck source-path=SCRIPTDIR
source "$HERE/lib.sh"

for program in docker kind kubectl node; do
  command -v "$program" > /dev/null || fail "$program is installed"
done
[[ $IP_FAMILY =~ ^(dual|ipv4)$ ]] || fail "IP_FAMILY is dual or ipv4 (it is $IP_FAMILY)"
docker info > /dev/null 2>&1 || fail 'docker is running'
# From here on whatever has these names is ours, and removed at the end.
if grep -qx "$CLUSTER" <<< "$(kind get clusters 2> /dev/null)"; then
  fail "there is no cluster $CLUSTER yet; to remove it: kind delete cluster --name $CLUSTER"
fi
if docker container inspect "$OUTSIDE" > /dev/null 2>&1; then
  fail "there is no container $OUTSIDE yet; to remove it: docker rm --force $OUTSIDE"
fi
WORK=$(mktemp -d)
readonly WORK
export KUBECONFIG=$WORK/kubeconfig

leave() {
  local status=$?
  trap - EXIT
  # What is left must be removed, however often somebody asks for the end.
  trap '' INT TERM HUP
  # Above 128 a signal asked for it.
  if ((status > 0 && status < 128)); then
    mkdir -p "$LOGS"
    kind export logs "$LOGS" --name "$CLUSTER" > /dev/null 2>&1 || true
    printf '\nfailed; logs of all nodes and Pods are in %s\n' "$LOGS" >&2
  fi
  if [[ -n ${KEEP:-} ]]; then
    printf '\nleft in place:\n  export KUBECONFIG=%s\n  kind delete cluster --name %s; docker rm --force %s; rm -r %s\n' \
      "$KUBECONFIG" "$CLUSTER" "$OUTSIDE" "$WORK"
  else
    printf '\nremoving the cluster\n'
    docker rm --force "$OUTSIDE" > /dev/null 2>&1 || true
    kind delete cluster --name "$CLUSTER" > /dev/null || status=$((status > 0 ? status : 1))
    rm -rf "$WORK"
  fi
  exit "$status"
}
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

for step in "$HERE"/steps/*.sh; do
  # shellcheck source=/dev/null
  source "$step"
done

title "all is well after $SECONDS s"
