#!/bin/bash
# Trouble while a fleet works: killed agents, failing scripts and services, broken thresholds.
. "$(dirname "$0")/faults.sh"

S=$WORK/small.yaml
cat >"$WORK/command.yaml" <<'YAML'
dayfly: 1
name: command
fleet: {ttl: 10m, launch_timeout: 20s, rollcall_timeout: 30s}
roles:
  n: {count: 2, instances: [c7g.large], setup: "${{ vars.setup }}"}
vars: {setup: "true", command: "true"}
phases:
  - name: work
    nodes: all
    timeout: 10s
    run: ${{ vars.command }}
YAML
begin killed "" "$S" --set vars.seconds=8s
begin below "" "$S" --set vars.seconds=8s --set roles.load.min=4
begin setup "" "$WORK/command.yaml" --set 'vars.setup=echo no such package >&2; exit 3'
begin service "" "$S" --set 'roles.web.service.run=sleep 60' --set roles.web.ready.timeout=2s
begin command "" "$WORK/command.yaml" --set 'vars.command=echo it is broken >&2; exit 5'

tree() { for p in $(pgrep -P "$1"); do echo "$p"; tree "$p"; done; }
kill_agent() { # NAME SLOT WHAT: SIGKILL to the agent of a node, or to all that runs there
    follow "$1"
    local id pid child
    id=$(jq -rs --arg s "$2" '[.[] | select(.node == $s)] | last | .id' "$EVENTS")
    pid=$(truth --arg id "$id" '.instances[] | select(.id == $id) | .pid')
    for child in $(tree "$pid"); do
        if [ "$3" = all ] || tr '\0' ' ' <"/proc/$child/cmdline" | grep -q ' node --join '; then
            kill -9 "$child" 2>/dev/null
        fi
    done
    echo "$id"
}
for name in killed below; do
    ok "$name: the load runs" wait_until 30 has_said "$name" phase_start true
done
one=$(kill_agent killed load:1 agent)
two=$(kill_agent below load:2 all)

finish setup
is "a failing setup is exit 7" "$CODE" 7
like "its words are in the summary" "$(cat "$OUT" "$ERR")" '*setup*'
ok "the node that failed is named" said setup '.verb == "failed" and (.node | startswith("n:"))'
nothing_left "nothing is left"

finish service
is "a service that is never ready is exit 7" "$CODE" 7
ok "the node is named" said service '.verb == "not_ready" and .node == "web:0"'
nothing_left "nothing is left"

finish command
is "a failing command is exit 7" "$CODE" 7
ok "the node and its exit code are named" said node '.verb == "failed" and .exit == 5'
like "the summary names phase and code" "$(cat "$OUT")" '*work*5*'
nothing_left "nothing is left"

begin threshold "" "$S" --set 'thresholds=["p50 < 1us"]'
begin abort "" "$S" --set vars.seconds=30s --set 'thresholds=["p50 < 1us over 1s after 1s, abort"]'

finish killed
is "a killed agent with the quorum kept: the run goes on" "$CODE" 0
ok "the lost node is named ($one)" said node ".verb == \"lost\" and .id == \"$one\""
like "the summary says that it was disturbed" "$(cat "$OUT")" '*node-lost*'
is "the result knows its fate" "$(jq -r ".nodes[] | select(.instance_id == \"$one\") | .fate" "$RESULT")" died
nothing_left "nothing is left"

finish below
is "a killed agent below the quorum is exit 8" "$CODE" 8
ok "the lost node is named ($two)" said node ".verb == \"lost\" and .id == \"$two\""
ok "and the quorum" said lost '.here == 3 and .here_of == 4'
nothing_left "nothing is left"

finish threshold
is "a threshold that fails is exit 99" "$CODE" 99
like "it stands in the summary" "$(cat "$OUT")" '*FAIL*p50 < 1us*'
nothing_left "nothing is left"

finish abort
is "a threshold with abort is exit 99 too" "$CODE" 99
ok "and ends the load early" said stop '.why == "threshold"'
ok "long before its time" test "$(jq '[.phases[].duration_ms] | add / 1000 | floor' "$RESULT")" -lt 15
nothing_left "nothing is left"
done_testing
