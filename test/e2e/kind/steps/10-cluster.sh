# shellcheck shell=bash
title 'Images'
if [[ -z ${SKIP_BUILD:-} ]]; then
  # Without attestations: an image with them is an index of several, of which not every kind can load one.
  export BUILDX_NO_DEFAULT_ATTESTATIONS=1
  for part in controller proxier; do
    must "slicewise-$part:0.1.0 is built" docker build --target "$part" -t "slicewise-$part:0.1.0" "$ROOT"
  done
fi

title 'A cluster without kube-proxy and without an EndpointSlice controller'
sed "s/ipFamily: dual/ipFamily: $IP_FAMILY/" "$HERE/cluster.yaml" > "$WORK/cluster.yaml"
arguments=(--name "$CLUSTER" --config "$WORK/cluster.yaml")
[[ -z ${NODE_IMAGE:-} ]] || arguments+=(--image "$NODE_IMAGE")
must 'the cluster is there' kind create cluster "${arguments[@]}"
must 'the images are on its nodes' kind load docker-image slicewise-controller:0.1.0 slicewise-proxier:0.1.0 --name "$CLUSTER"
# kind's network plugin does without Services: it is told where the API server is, too.
must 'all nodes are ready' k wait --for=condition=Ready nodes --all --timeout=120s

there_is_no_kube_proxy() { [[ -z $(k -n kube-system get daemonset kube-proxy --ignore-not-found -o name) ]]; }
must 'there is no kube-proxy' there_is_no_kube_proxy
readonly STATIC_POD=/etc/kubernetes/manifests/kube-controller-manager.yaml
built_in_is_off() { docker exec "$CONTROL_PLANE" grep -q -- ',-endpointslice-controller' "$STATIC_POD"; }
must 'the built-in controller is off' built_in_is_off
# Even the Service of the API server, whose slice the API server writes by itself.
services_do_not_work() {
  local address
  address=$(k get service kubernetes -o 'jsonpath={.spec.clusterIP}') || return 1
  ! docker exec "${WORKERS[0]}" curl --silent --insecure --max-time 3 "https://$address/version"
}
must 'Services do not work yet' services_do_not_work

title 'Slicewise'
# Where kind has chosen iptables-legacy, as it does on a host that uses that.
suffix=
if docker exec "$CONTROL_PLANE" iptables --version | grep -q legacy; then suffix=-legacy; fi
readonly SUFFIX=$suffix
must 'both parts are installed' k apply -k "$HERE/manifests/own$SUFFIX"
must 'a proxier runs on every node' rolled_out daemonset/slicewise-proxier
must 'two controllers run' rolled_out deployment/slicewise-controller
# It asks the API server by its Service, and is asked by its own.
must 'DNS works' rolled_out deployment/coredns

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
read -r address _ < <(addresses_of "${WORKERS[0]}")
in_outside_container --detach --name "$OUTSIDE" -- "$address" 30303 --forever 18083 > /dev/null
eventually 30 'everybody gets answers' nobody_failed
