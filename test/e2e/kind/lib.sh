# shellcheck shell=bash
# What the steps share. Sourced by run.sh.

readonly CLUSTER=slicewise
readonly CONTROL_PLANE=$CLUSTER-control-plane
readonly WORKERS=("$CLUSTER-worker" "$CLUSTER-worker2")
readonly NODE=/usr/local/bin/node

k() { kubectl --context "kind-$CLUSTER" "$@"; }

title() { printf '\n== %s\n' "$*"; }
ok() { printf '  ok  %s\n' "$*"; }
fail() {
  printf '  NOT %s\n' "$*" >&2
  exit 1
}

# eventually SECONDS WHAT COMMAND...: runs it until it succeeds; its output is shown only if it never does.
eventually() {
  local deadline=$((SECONDS + $1)) what=$2 output
  shift 2
  until output=$("$@" 2>&1); do
    if ((SECONDS >= deadline)); then
      printf '%s\n' "$output" >&2
      fail "$what"
    fi
    sleep 0.2
  done
  ok "$what"
}

# must WHAT COMMAND...
must() {
  local what=$1 output
  shift
  output=$("$@" 2>&1) || {
    printf '%s\n' "$output" >&2
    fail "$what"
  }
  ok "$what"
}

# The names of the Pods of a Deployment that are not on their way out, comma-separated.
pods_of() { k get pods -l "app=$1" -o json | node "$HERE/look.mjs" pods; }

# ready_endpoints SERVICE COUNT: whether every slice of the Service has so many ready endpoints.
ready_endpoints() {
  k get endpointslices -l "kubernetes.io/service-name=$1" -o json | node "$HERE/look.mjs" endpoints "$2"
}

# rules_of NODE: its nat rules, of whichever iptables that node has.
rules_of() { docker exec "$1" iptables-save -t nat; }

# rules_lead_to NODE SERVICE COUNT: whether the node's rules give the Service so many endpoints.
rules_lead_to() {
  local found
  found=$(rules_of "$1" | grep -cE -- "-A KUBE-SVC-.*\"default/$2 -> .*-j KUBE-SEP-" || true)
  printf '%s: %s endpoints of %s\n' "$1" "$found" "$2"
  [[ $found == "$3" ]]
}

# Whether all nodes have caught up with the Service.
all_nodes_lead_to() {
  local node
  for node in "$CONTROL_PLANE" "${WORKERS[@]}"; do rules_lead_to "$node" "$1" "$2" || return 1; done
}

# ask_from_pod HOST PORT COUNT [CHECKS...]
ask_from_pod() { k exec visitor -- "$NODE" /scripts/load.mjs "$@"; }

# ask_from_outside HOST PORT COUNT [CHECKS...]: from a container on the nodes' network.
ask_from_outside() {
  docker run --rm --network kind --volume "$HERE/pods:/scripts:ro" --entrypoint "$NODE" slicewise-controller:0.1.0 /scripts/load.mjs "$@"
}

address_of() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }

# Whether none of those who ask for as long as the test runs has ever failed.
nobody_failed() {
  local pod app port
  for app in asking-pod:18081 asking-node:18082; do
    port=${app#*:}
    for pod in $(k get pods -l "app=${app%:*}" -o name); do
      printf '%s: ' "$pod"
      k exec "$pod" -- "$NODE" /scripts/load.mjs --report "$port" || return 1
    done
  done
  printf 'outside: '
  docker exec slicewise-outside "$NODE" /scripts/load.mjs --report 18083
}

# Who holds the controller's Lease.
leader() { k -n kube-system get lease slicewise-controller -o 'jsonpath={.spec.holderIdentity}'; }
led_by_another_than() {
  local now
  now=$(leader)
  printf 'leader: %s\n' "$now"
  [[ -n $now && $now != "$1" ]]
}

# The Pod of the controller on the node whose name an identity begins with.
leading_pod() {
  k -n kube-system get pods -l app.kubernetes.io/name=slicewise-controller \
    --field-selector "spec.nodeName=${1%%_*}" -o 'jsonpath={.items[0].metadata.name}'
}

rolled_out() { k -n kube-system rollout status "$1" --timeout=180s; }
