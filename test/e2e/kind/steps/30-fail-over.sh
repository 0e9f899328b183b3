# shellcheck shell=bash
title 'The leading controller dies'
before=$(leader)
[[ -n $before ]] || fail 'somebody leads'
node=${before%%_*}
pod=$(leading_pod "$before")
began=$SECONDS
# Killed inside its node: no signal to end on, and so no Lease given back.
container=$(docker exec "$node" crictl ps --quiet --label "io.kubernetes.pod.name=$pod" --name '^controller$')
process=$(docker exec "$node" crictl inspect "$container" | look pid)
docker exec "$node" kill -KILL "$process"
k scale deployment nginx --replicas=5 > /dev/null
# Lease duration and retry period, and what kubectl takes.
eventually 25 'another leads' led_by_another_than "$before"
printf '      after %s s\n' "$((SECONDS - began))"
eventually 60 'it has caught up with what happened meanwhile' all_nodes_lead_to nginx-svc 5
must 'the one that died runs again' rolled_out deployment/slicewise-controller

title 'The leading controller is asked to leave'
before=$(leader)
began=$SECONDS
k -n kube-system delete pod "$(leading_pod "$before")" --wait=false > /dev/null
k scale deployment nginx --replicas=3 > /dev/null
eventually 12 'another leads' led_by_another_than "$before"
printf '      after %s s\n' "$((SECONDS - began))"
eventually 60 'it carries on' all_nodes_lead_to nginx-svc 3
must 'two controllers run again' rolled_out deployment/slicewise-controller
must 'nobody has noticed anything' nobody_failed
