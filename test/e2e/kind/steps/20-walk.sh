# shellcheck shell=bash
cluster_ip=$(k get service nginx-svc -o 'jsonpath={.spec.clusterIP}')

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
must '300 requests from a Pod are shared fairly' ask_from_pod "$cluster_ip" 3000 300 --pods "$(pods_of nginx)" --fair
must 'so are they by name' ask_from_pod nginx-svc.default.svc.cluster.local 3000 300 --pods "$(pods_of nginx)" --fair
answered_on_node() {
  local i
  for ((i = 0; i < 60; i++)); do
    docker exec "${WORKERS[0]}" curl -sS --max-time 2 -o /dev/null "http://$cluster_ip:3000" || return 1
  done
}
must '60 requests from a node are answered' answered_on_node

title 'Pods come and go'
pods=$(pods_of nginx)
one=${pods%%,*}
others=${pods#*,}
k exec "$one" -- "$NODE" -e 'fetch("http://127.0.0.1:8080/ready?set=false")'
eventually 30 "$one is no ready endpoint any more" ready_endpoints nginx-svc 2
eventually 30 'all nodes lead to two Pods' all_nodes_lead_to nginx-svc 2
must 'the other two share 120 requests' ask_from_pod "$cluster_ip" 3000 120 --pods "$others" --fair
k exec "$one" -- "$NODE" -e 'fetch("http://127.0.0.1:8080/ready?set=true")'
eventually 30 "$one is back" all_nodes_lead_to nginx-svc 3
must 'all three share again' ask_from_pod "$cluster_ip" 3000 120 --pods "$pods" --fair

k scale deployment nginx --replicas=6 > /dev/null
eventually 60 'six Pods are behind the Service' all_nodes_lead_to nginx-svc 6
must 'all six answer' ask_from_pod "$cluster_ip" 3000 300 --pods "$(pods_of nginx)" --fair

k scale deployment nginx --replicas=0 > /dev/null
eventually 60 'no Pod is behind the Service' all_nodes_lead_to nginx-svc 0
eventually 30 'connections are refused at once' ask_from_pod "$cluster_ip" 3000 10 --refused

k scale deployment nginx --replicas=3 > /dev/null
eventually 60 'three Pods again' all_nodes_lead_to nginx-svc 3
must 'and all three answer' ask_from_pod "$cluster_ip" 3000 120 --pods "$(pods_of nginx)" --fair

title 'From outside, and from a Pod to itself'
k patch service nginx-svc --patch '{"spec": {"type": "NodePort"}}' > /dev/null
port=$(k get service nginx-svc -o 'jsonpath={.spec.ports[0].nodePort}')
for worker in "${WORKERS[@]}"; do
  eventually 30 "port $port of $worker leads to all Pods" \
    ask_from_outside "$(address_of "$worker")" "$port" 60 --pods "$(pods_of nginx)"
done
pods=$(pods_of nginx)
one=${pods%%,*}
own_ip=$(k get pod "$one" -o 'jsonpath={.status.podIP}')
to_itself() { k exec "$one" -- "$NODE" /scripts/load.mjs "$cluster_ip" 3000 60 --pods "$pods"; }
must "$one reaches the Service that it is a part of" to_itself
reaches_itself_by_the_node() {
  # Of the answers that it gave itself none may name its own address: then they would not have come back through the node.
  k exec "$one" -- "$NODE" -e "
    (async () => {
      for (let i = 0; i < 60; i++) {
        const { pod, client } = await (await fetch('http://$cluster_ip:3000', { headers: { connection: 'close' } })).json();
        if (pod === '$one' && client.endsWith('$own_ip')) process.exit(1);
      }
    })()"
}
must 'and sees its node asking when it is dealt itself' reaches_itself_by_the_node
must 'nobody has noticed anything' nobody_failed
