# shellcheck shell=bash
# The steps of docs/migrate.md, backwards and then forwards.

# edit_static_pod SED_SCRIPT: in one step, and from outside the folder, where kubelet would take a temporary file for one more Pod.
edit_static_pod() {
  docker exec "$CONTROL_PLANE" sh -c 'sed "$1" "$2" > /etc/kubernetes/edited.yaml && mv /etc/kubernetes/edited.yaml "$2"' \
    sh "$1" "$STATIC_POD"
}
# manager_runs_with PATTERN, manager_runs_without PATTERN: of its flags.
manager_is_ready() { k -n kube-system wait --for=condition=Ready "pod/kube-controller-manager-$CONTROL_PLANE" --timeout=1s; }
manager_flags() {
  k -n kube-system get pod "kube-controller-manager-$CONTROL_PLANE" -o 'jsonpath={.spec.containers[0].command}'
}
manager_runs_with() {
  local flags
  flags=$(manager_flags) && grep -q -- "$1" <<< "$flags" && manager_is_ready
}
manager_runs_without() {
  local flags
  flags=$(manager_flags) && ! grep -q -- "$1" <<< "$flags" && manager_is_ready
}
same_slices() { [[ $(slices_of nginx-svc) == "$slices" ]]; }
slices=$(slices_of nginx-svc)

title 'To the built-in controller'
k -n kube-system scale deployment slicewise-controller --replicas=0 > /dev/null
eventually 60 'Slicewise has left' no_pods app.kubernetes.io/name=slicewise-controller
edit_static_pod 's/,-endpointslice-controller//'
eventually 180 'the built-in one is on' manager_runs_without ',-endpointslice-controller'
follows 'its slices'
must 'they are the very slices that were there' same_slices

title 'To kube-proxy'
# Nowhere, so that every node is left.
k -n kube-system patch daemonset slicewise-proxier --type=merge \
  --patch '{"spec": {"template": {"spec": {"nodeSelector": {"slicewise-proxier": "true"}}}}}' > /dev/null
eventually 60 'Slicewise has left' no_pods app.kubernetes.io/name=slicewise-proxier
must 'its rules have not' all_nodes_lead_to nginx-svc 3
# kind leaves this phase out, in the same file; so that line goes, and the settings come that kind would have given.
docker exec --interactive "$CONTROL_PLANE" sh -c '
  sed "/addon\/kube-proxy/d" /kind/kubeadm.conf > /tmp/kube-proxy.conf && cat >> /tmp/kube-proxy.conf &&
  kubeadm init phase addon kube-proxy --config /tmp/kube-proxy.conf' > /dev/null << 'CONFIG'
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
conntrack:
  maxPerCore: 0
CONFIG
must 'kube-proxy runs' rolled_out daemonset/kube-proxy
follows 'its rules'
must 'nobody has noticed anything' nobody_failed

title 'Back to our proxier, node by node, with the settings of kube-proxy'
must 'it is installed for nodes that ask for it' k apply -k "$HERE/manifests/kubeadm$SUFFIX"
k -n kube-system patch daemonset kube-proxy --patch-file "$ROOT/manifests/proxier-by-node/kube-proxy.yaml" > /dev/null
must 'kube-proxy stays where it is' rolled_out daemonset/kube-proxy
runs_on() {
  k -n kube-system get pods -l app.kubernetes.io/name=slicewise-proxier --field-selector "spec.nodeName=$1" \
    -o 'jsonpath={.items[0].status.conditions[?(@.type=="Ready")].status}' | grep -qx True
}
for node in "${WORKERS[@]}" "$CONTROL_PLANE"; do
  k label node "$node" slicewise-proxier=true > /dev/null
  eventually 90 "ours runs on $node" runs_on "$node"
done
eventually 60 'kube-proxy has left' no_pods k8s-app=kube-proxy
must 'nobody has noticed anything' nobody_failed
k -n kube-system delete daemonset kube-proxy > /dev/null
follows 'our rules'

title 'Back to our controller'
edit_static_pod 's/\(--controllers=.*\)$/\1,-endpointslice-controller/'
eventually 180 'the built-in one is off' manager_runs_with ',-endpointslice-controller'
k -n kube-system scale deployment slicewise-controller --replicas=2 > /dev/null
must 'two controllers run' rolled_out deployment/slicewise-controller
follows 'our slices'
must 'they are still the same slices' same_slices
must 'nobody has noticed anything' nobody_failed
