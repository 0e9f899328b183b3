# shellcheck shell=bash
title 'Images'
if [[ -z ${SKIP_BUILD:-} ]]; then
  for part in controller proxier; do
    must "slicewise-$part:0.1.0 is built" docker build --target "$part" -t "slicewise-$part:0.1.0" "$ROOT"
  done
fi

title 'A cluster without kube-proxy and without an EndpointSlice controller'
config=$(mktemp)
sed "s/ipFamily: dual/ipFamily: ${IP_FAMILY:-dual}/" "$HERE/cluster.yaml" > "$config"
arguments=(--name "$CLUSTER" --config "$config")
[[ -z ${NODE_IMAGE:-} ]] || arguments+=(--image "$NODE_IMAGE")
must 'the cluster is there' kind create cluster "${arguments[@]}"
rm -f "$config"
must 'the images are on its nodes' kind load docker-image slicewise-controller:0.1.0 slicewise-proxier:0.1.0 --name "$CLUSTER"

if k -n kube-system get daemonset kube-proxy > /dev/null 2>&1; then fail 'there is no kube-proxy'; fi
ok 'there is no kube-proxy'
built_in_is_off() {
  docker exec "$CONTROL_PLANE" grep -q -- ',-endpointslice-controller' /etc/kubernetes/manifests/kube-controller-manager.yaml
}
must 'the built-in controller is off' built_in_is_off

# Cluster DNS asks the API server by its Service, so it waits for both parts.
if [[ $(k -n kube-system get deployment coredns -o 'jsonpath={.status.readyReplicas}') == 2 ]]; then fail 'DNS does not work yet'; fi
ok 'DNS does not work yet'

title 'Slicewise'
# Where kind has chosen iptables-legacy, as it does on a host that uses that.
overlay=manifests
if docker exec "$CONTROL_PLANE" iptables --version | grep -q legacy; then overlay=manifests-legacy; fi
must "the $overlay are applied" k apply -k "$HERE/$overlay"
must 'a proxier runs on every node' rolled_out daemonset/slicewise-proxier
must 'two controllers run' rolled_out deployment/slicewise-controller
must 'DNS works' rolled_out deployment/coredns
must 'all nodes are ready' k wait --for=condition=Ready nodes --all --timeout=120s

k create configmap scripts --from-file="$HERE/pods" --dry-run=client -o yaml | k apply -f - > /dev/null
must 'the Pods of the test are made' k apply -f "$HERE/pods.yaml"
for name in deployment/nginx deployment/steady daemonset/asking-pod daemonset/asking-node; do
  must "$name is ready" k rollout status "$name" --timeout=120s
done
must 'visitor is ready' k wait --for=condition=Ready pod/visitor --timeout=60s
eventually 30 'all nodes lead to steady' all_nodes_lead_to steady 3

# Who began to ask before there was anything to answer begins anew.
k rollout restart daemonset/asking-pod daemonset/asking-node > /dev/null
for name in asking-pod asking-node; do must "$name asks" k rollout status "daemonset/$name" --timeout=120s; done
docker run --detach --rm --name slicewise-outside --network kind --volume "$HERE/pods:/scripts:ro" --entrypoint "$NODE" \
  slicewise-controller:0.1.0 /scripts/load.mjs "$(address_of "${WORKERS[0]}")" 30303 --forever 18083 > /dev/null
eventually 30 'everybody gets answers' nobody_failed
