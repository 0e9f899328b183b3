# shellcheck shell=bash
# The steps of docs/migrate.md, backwards and then forwards.
readonly STATIC_POD=/etc/kubernetes/manifests/kube-controller-manager.yaml

# edit_static_pod SED_SCRIPT: not in place, as kubelet would take sed's temporary file for one more Pod.
edit_static_pod() {
  docker exec "$CONTROL_PLANE" sh -c 'sed "$1" "$2" > /tmp/edited.yaml && cp /tmp/edited.yaml "$2"' sh "$1" "$STATIC_POD"
}
controller_flags() {
  k -n kube-system get pod "kube-controller-manager-$CONTROL_PLANE" -o 'jsonpath={.spec.containers[0].command}'
}
manager_has() { controller_flags | grep -q -- "$1" && k -n kube-system wait --for=condition=Ready "pod/kube-controller-manager-$CONTROL_PLANE" --timeout=1s; }
manager_lacks() { ! controller_flags | grep -q -- "$1" && k -n kube-system wait --for=condition=Ready "pod/kube-controller-manager-$CONTROL_PLANE" --timeout=1s; }
no_pods() { [[ -z $(k -n kube-system get pods -l "$1" -o name) ]]; }
follows() {
  k scale deployment nginx --replicas=5 > /dev/null
  eventually 90 "$1 follow up" all_nodes_lead_to nginx-svc 5
  k scale deployment nginx --replicas=3 > /dev/null
  eventually 90 "$1 follow down" all_nodes_lead_to nginx-svc 3
}

title 'To the built-in controller'
k -n kube-system scale deployment slicewise-controller --replicas=0 > /dev/null
eventually 60 'Slicewise has left' no_pods app.kubernetes.io/name=slicewise-controller
edit_static_pod 's/,-endpointslice-controller//'
eventually 180 'the built-in one is on' manager_lacks ',-endpointslice-controller'
follows 'its slices'

title 'To kube-proxy'
k -n kube-system patch daemonset slicewise-proxier --type=merge \
  --patch '{"spec": {"template": {"spec": {"nodeSelector": {"slicewise-proxier": "true"}}}}}' > /dev/null
eventually 60 'Slicewise has left' no_pods app.kubernetes.io/name=slicewise-proxier
must 'its rules have not' all_nodes_lead_to nginx-svc 3
docker exec --interactive "$CONTROL_PLANE" sh -c '
  cp /kind/kubeadm.conf /tmp/kube-proxy.conf && cat >> /tmp/kube-proxy.conf &&
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

title 'Back to our proxier, node by node'
k -n kube-system patch daemonset kube-proxy --type=merge --patch '{"spec": {"template": {"spec": {"affinity": {"nodeAffinity":
  {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions":
  [{"key": "slicewise-proxier", "operator": "DoesNotExist"}]}]}}}}}}}' > /dev/null
must 'kube-proxy stays where it is' rolled_out daemonset/kube-proxy
for node in "${WORKERS[@]}" "$CONTROL_PLANE"; do
  k label node "$node" slicewise-proxier=true > /dev/null
  runs_there() {
    k -n kube-system get pods -l app.kubernetes.io/name=slicewise-proxier --field-selector "spec.nodeName=$node" \
      -o 'jsonpath={.items[0].status.conditions[?(@.type=="Ready")].status}' | grep -qx True
  }
  eventually 90 "ours runs on $node" runs_there
done
must 'nobody has noticed anything' nobody_failed
k -n kube-system delete daemonset kube-proxy > /dev/null
follows 'our rules'

title 'Back to our controller'
edit_static_pod 's/\(--controllers=.*\)$/\1,-endpointslice-controller/'
eventually 180 'the built-in one is off' manager_has ',-endpointslice-controller'
k -n kube-system scale deployment slicewise-controller --replicas=2 > /dev/null
must 'two controllers run' rolled_out deployment/slicewise-controller
follows 'our slices'
must 'nobody has noticed anything' nobody_failed
