# shellcheck shell=bash
read -r -a cluster_ips <<< "$(cluster_ips_of nginx-svc)"

# from_pod WHAT COUNT CHECKS...: at each address of the Service.
from_pod() {
  local what=$1 address
  shift
  for address in "${cluster_ips[@]}"; do must "$what, at $address" ask_from_pod "$address" 3000 "$@"; done
}

title 'A Deployment and a Service appear'
eventually 30 'the slices have three ready endpoints' ready_endpoints nginx-svc 3
eventually 30 'all nodes lead to three Pods' all_nodes_lead_to nginx-svc 3
in_thirds() {
  local rules
  rules=$(rules_of "${WORKERS[0]}" | grep -- '"default/nginx-svc -> ')
  grep -q -- '--probability 0.33333333349' <<< "$rules" && grep -q -- '--probability 0.50000000000' <<< "$rules"
}
must 'by a third, then half of the rest, then the rest' in_thirds

title 'Who answers?'
from_pod '300 requests from a Pod are shared fairly' 300 --pods "$(pods_of nginx)" --fair
must 'so are they by name' ask_from_pod nginx-svc.default.svc.cluster.local 3000 300 --pods "$(pods_of nginx)" --fair
answered_on_node() {
  local address
  for address in "${cluster_ips[@]}"; do
    if [[ $address == *:* ]]; then address="[$address]"; fi
    docker exec "${WORKERS[0]}" sh -c 'for i in $(seq 60); do curl -sS --max-time 2 -o /dev/null "$1" || exit 1; done' \
      sh "http://$address:3000" || return 1
  done
}
must '60 requests from a node are answered' answered_on_node

title 'Pods come and go'
# set_ready POD true|false
set_ready() { k exec "$1" -- "$NODE" -e "fetch('http://127.0.0.1:8080/ready?set=$2')"; }
pods=$(pods_of nginx)
one=${pods%%,*}
others=${pods#*,}
set_ready "$one" false
eventually 30 "$one is no ready endpoint any more" ready_endpoints nginx-svc 2
eventually 30 'all nodes lead to two Pods' all_nodes_lead_to nginx-svc 2
from_pod 'the other two share 120 requests' 120 --pods "$others" --fair
set_ready "$one" true
eventually 30 "$one is back" all_nodes_lead_to nginx-svc 3
from_pod 'all three share again' 120 --pods "$pods" --fair

k scale deployment nginx --replicas=6 > /dev/null
eventually 60 'six Pods are behind the Service' all_nodes_lead_to nginx-svc 6
from_pod 'all six answer' 300 --pods "$(pods_of nginx)" --fair

k scale deployment nginx --replicas=0 > /dev/null
eventually 60 'no Pod is behind the Service' all_nodes_lead_to nginx-svc 0
from_pod 'connections are refused' 10 --refused

k scale deployment nginx --replicas=3 > /dev/null
eventually 60 'three Pods again' all_nodes_lead_to nginx-svc 3
from_pod 'and all three answer' 120 --pods "$(pods_of nginx)" --fair

title 'From outside, and from a Pod to itself'
k patch service nginx-svc --patch '{"spec": {"type": "NodePort"}}' > /dev/null
port=$(k get service nginx-svc -o 'jsonpath={.spec.ports[0].nodePort}')
pods=$(pods_of nginx)
for worker in "${WORKERS[@]}"; do
  read -r -a addresses <<< "$(addresses_of "$worker")"
  for address in "${addresses[@]}"; do
    eventually 30 "port $port of $worker at $address leads to all Pods" ask_from_outside "$address" "$port" 60 --pods "$pods"
  done
done
one=${pods%%,*}
own_ip=$(k get pod "$one" -o 'jsonpath={.status.podIP}')
# Were its own address to be seen, the answer would never have come back through the node.
to_itself() { k exec "$one" -- "$NODE" /scripts/load.mjs "${cluster_ips[0]}" 3000 60 --pods "$pods" --masked "$one" "$own_ip"; }
must "$one reaches the Service that it is a part of, and sees its node asking when it is dealt itself" to_itself
must 'nobody has noticed anything' nobody_failed
