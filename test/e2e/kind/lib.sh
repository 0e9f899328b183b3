# shellcheck shell=bash
# What the steps share. Sourced by run.sh.

readonly CLUSTER=slicewise
readonly CONTROL_PLANE=$CLUSTER-control-plane
readonly WORKERS=("$CLUSTER-worker" "$CLUSTER-worker2")
readonly NODES=("$CONTROL_PLANE" "${WORKERS[@]}")
# Inside the images.
readonly NODE=/usr/local/bin/node
readonly CONTROLLER_IMAGE=slicewise-controller:0.1.0
# The container that asks from outside the cluster, and the network of kind's nodes.
readonly OUTSIDE=slicewise-outside
readonly NETWORK=${KIND_EXPERIMENTAL_DOCKER_NETWORK:-kind}

k() { kubectl --context "kind-$CLUSTER" "$@"; }

title() { printf '\n== %s\n' "$*"; }
ok() { printf '  ok  %s\n' "$*"; }
fail() {
  printf '  NOT %s\n' "$*" >&2
  exit 1
}

# eventually SECONDS WHAT COMMAND...: runs it until it succeeds; its output is shown only if it never does. On a machine that is busy with
# other things, PATIENCE says how many times as long to wait.
eventually() {
  local deadline=$((SECONDS + $1 * ${PATIENCE:-1})) what=$2 output
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

# The address families that Services have here, as iptables-save's names.
save_programs() {
  echo iptables-save
  if [[ $IP_FAMILY == dual ]]; then echo ip6tables-save; fi
}

look() { node "$HERE/look.mjs" "$@"; }

# The names of the Pods of a Deployment that are not on their way out, comma-separated.
pods_of() { k get pods -l "app=$1" -o json | look pods; }

# ready_endpoints SERVICE COUNT: whether the Service has so many ready endpoints in each of its families.
ready_endpoints() {
  k get endpointslices -l "kubernetes.io/service-name=$1" -o json | look endpoints "$2" "$(save_programs | wc -l)"
}
slices_of() { k get endpointslices -l "kubernetes.io/service-name=$1" -o name --sort-by=.metadata.name; }

# rules_of NODE [PROGRAM]: its nat rules, of whichever iptables that node has.
rules_of() { docker exec "$1" "${2:-iptables-save}" -t nat; }

# rules_lead_to NODE SERVICE COUNT: whether the node's rules give the Service so many endpoints in each family.
rules_lead_to() {
  local program rules found
  for program in $(save_programs); do
    rules=$(rules_of "$1" "$program") || return 1
    found=$(grep -cE -- "-A KUBE-SVC-.*\"default/$2 -> .*-j KUBE-SEP-" <<< "$rules" || true)
    printf '%s: %s: %s endpoints of %s\n' "$1" "$program" "$found" "$2"
    [[ $found == "$3" ]] || return 1
  done
}

# all_nodes_lead_to SERVICE COUNT: whether all nodes have caught up with the Service.
all_nodes_lead_to() {
  local node
  for node in "${NODES[@]}"; do rules_lead_to "$node" "$1" "$2" || return 1; done
}

# cluster_ips_of SERVICE
cluster_ips_of() { k get service "$1" -o 'jsonpath={.spec.clusterIPs[*]}'; }

# ask_from_pod HOST PORT COUNT [CHECKS...]
ask_from_pod() { k exec visitor -- "$NODE" /scripts/load.mjs "$@"; }

# in_outside_container [DOCKER_FLAGS...] -- ARGUMENTS OF load.mjs: a container on the nodes' network.
in_outside_container() {
  local flags=()
  while [[ $1 != -- ]]; do
    flags+=("$1")
    shift
  done
  shift
  docker run ${flags[@]+"${flags[@]}"} --rm --network "$NETWORK" --volume "$HERE/pods:/scripts:ro" --entrypoint "$NODE" "$CONTROLLER_IMAGE" \
    /scripts/load.mjs "$@"
}
ask_from_outside() { in_outside_container -- "$@"; }

# addresses_of NODE: those at which the Services of this cluster are to be had there.
addresses_of() {
  local format='{{.IPAddress}}'
  if [[ $IP_FAMILY == dual ]]; then format+=' {{.GlobalIPv6Address}}'; fi
  docker inspect --format "{{with index .NetworkSettings.Networks \"$NETWORK\"}}$format{{end}}" "$1"
}

# Whether none of those who ask for as long as the test runs has ever failed, nor been started anew and so forgotten it.
nobody_failed() {
  local pod pods app port
  for app in asking-pod:18081 asking-node:18082; do
    port=${app#*:}
    pods=$(k get pods -l "app=${app%:*}" -o json | look never-restarted) || return 1
    for pod in $pods; do
      printf '%s: ' "$pod"
      k exec "$pod" -- "$NODE" /scripts/load.mjs --report "$port" || return 1
    done
  done
  printf 'outside: '
  docker exec "$OUTSIDE" "$NODE" /scripts/load.mjs --report 18083
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
no_pods() { [[ -z $(k -n kube-system get pods -l "$1" -o name) ]]; }

# follows WHO: whether changes of nginx, which has three Pods before and after, reach every node.
follows() {
  k scale deployment nginx --replicas=5 > /dev/null
  eventually 90 "$1 follow up" all_nodes_lead_to nginx-svc 5
  k scale deployment nginx --replicas=3 > /dev/null
  eventually 90 "$1 follow down" all_nodes_lead_to nginx-svc 3
}
