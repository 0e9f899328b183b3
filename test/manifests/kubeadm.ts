import { parse } from 'yaml';

/** config.conf of the ConfigMap kube-proxy, in the form in which kubeadm writes it. */
export const KUBEADM_CONFIG = `
apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection:
  acceptContentTypes: ""
  burst: 0
  contentType: ""
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
  qps: 0
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack:
  maxPerCore: null
  min: null
  tcpBeLiberal: false
  tcpCloseWaitTimeout: null
  tcpEstablishedTimeout: null
  udpStreamTimeout: 0s
  udpTimeout: 0s
detectLocal:
  bridgeInterface: ""
  interfaceNamePrefix: ""
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables:
  localhostNodePorts: null
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: ""
  strictARP: false
  syncPeriod: 0s
  tcpFinTimeout: 0s
  tcpTimeout: 0s
  udpTimeout: 0s
kind: KubeProxyConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
metricsBindAddress: ""
mode: ""
nftables:
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel:
  enableDSR: false
  forwardHealthCheckVip: false
  networkName: ""
  rootHnsEndpointName: ""
  sourceVip: ""
`;

/** The static Pod that kubeadm writes, without the parts that do not matter here. */
export const KUBEADM_CONTROLLER_MANAGER: unknown = parse(`
apiVersion: v1
kind: Pod
metadata:
  name: kube-controller-manager
  namespace: kube-system
  labels: { component: kube-controller-manager, tier: control-plane }
spec:
  containers:
  - name: kube-controller-manager
    image: kube-controller-manager:v1.36.2
    command:
    - kube-controller-manager
    - --authentication-kubeconfig=/etc/kubernetes/controller-manager.conf
    - --authorization-kubeconfig=/etc/kubernetes/controller-manager.conf
    - --bind-address=127.0.0.1
    - --client-ca-file=/etc/kubernetes/pki/ca.crt
    - --controllers=*,bootstrapsigner,tokencleaner
    - --kubeconfig=/etc/kubernetes/controller-manager.conf
    - --leader-elect=true
    - --use-service-account-credentials=true
    volumeMounts:
    - { mountPath: /etc/kubernetes/pki, name: k8s-certs, readOnly: true }
    - { mountPath: /etc/kubernetes/controller-manager.conf, name: kubeconfig, readOnly: true }
  hostNetwork: true
  priority: 2000001000
  priorityClassName: system-node-critical
  securityContext:
    seccompProfile: { type: RuntimeDefault }
  volumes:
  - name: k8s-certs
    hostPath: { path: /etc/kubernetes/pki, type: DirectoryOrCreate }
  - name: kubeconfig
    hostPath: { path: /etc/kubernetes/controller-manager.conf, type: FileOrCreate }
`);

/** The DaemonSet that kubeadm writes for kube-proxy, without the parts that do not matter here. */
export const KUBEADM_KUBE_PROXY: unknown = parse(`
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: kube-proxy
  namespace: kube-system
  labels: { k8s-app: kube-proxy }
spec:
  selector: { matchLabels: { k8s-app: kube-proxy } }
  updateStrategy: { type: RollingUpdate }
  template:
    metadata: { labels: { k8s-app: kube-proxy } }
    spec:
      priorityClassName: system-node-critical
      hostNetwork: true
      nodeSelector: { kubernetes.io/os: linux }
      tolerations: [{ operator: Exists }]
      serviceAccountName: kube-proxy
      containers:
      - name: kube-proxy
        image: kube-proxy:v1.36.2
        command: [/usr/local/bin/kube-proxy, --config=/var/lib/kube-proxy/config.conf, --hostname-override=$(NODE_NAME)]
        env: [{ name: NODE_NAME, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }]
        securityContext: { privileged: true }
        volumeMounts: [{ mountPath: /var/lib/kube-proxy, name: kube-proxy }]
      volumes: [{ name: kube-proxy, configMap: { name: kube-proxy } }]
`);
