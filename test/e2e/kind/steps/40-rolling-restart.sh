# shellcheck shell=bash
title 'Every proxier is replaced'
k -n kube-system rollout restart daemonset/slicewise-proxier > /dev/null
must 'the new ones run' rolled_out daemonset/slicewise-proxier
must 'nobody has noticed anything' nobody_failed
k scale deployment nginx --replicas=4 > /dev/null
eventually 60 'they follow' all_nodes_lead_to nginx-svc 4
k scale deployment nginx --replicas=3 > /dev/null
eventually 60 'and follow' all_nodes_lead_to nginx-svc 3
