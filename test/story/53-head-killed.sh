#!/bin/bash
# The head is killed by SIGKILL: status says so; down, gc, or at last the caps end everything.
. "$(dirname "$0")/faults.sh"

S=$WORK/small.yaml
# The rehearsal's own cloud, which outlives its head.
head_start() { # NAME PLAN OPTIONS...
    local name=$1; shift
    mkdir -p "$WORK/$name"
    (cd "$WORK/$name" && XDG_STATE_HOME=$WORK/$name exec "$DAYFLY" rehearse "$@" --progress=plain \
        >out 2>err) &
    PID_OF[$name]=$!
    STORY_PIDS+=("$!")
}
into() { # NAME: its state, its cloud
    export XDG_STATE_HOME=$WORK/$1
    CLOUD_ENDPOINT=$(find "$WORK/$1/dayfly/clouds" -name endpoint.json 2>/dev/null | head -n 1)
    [ -n "$CLOUD_ENDPOINT" ] || return 1
    CLOUD_URL=$(jq -r .url "$CLOUD_ENDPOINT")
    CLOUD_TOKEN=$(jq -r .token "$CLOUD_ENDPOINT")
    RUN=$(sed -n 's/.*run=\([a-z0-9]*\) .*/\1/p' "$WORK/$1/err" | head -n 1)
    EVENTS=$WORK/$1/dayfly/runs/$RUN/events.ndjson
}
asked_for_fleet() { into "$1" && truth_is 'any(.calls[]; .action == "CreateFleet")' true; }
loads() { into "$1" && said phase_start true; }
code() { "$@" >"$WORK/said" 2>&1; echo $?; }
strike() { kill -9 "${PID_OF[$1]}"; wait "${PID_OF[$1]}" 2>/dev/null; into "$1"; }

head_start launch "$S" --boot 1s-2s
head_start load "$S" --set vars.seconds=30s --boot 0s-300ms
head_start cap "$S" --set vars.seconds=30s --boot 0s-300ms --idle 2s --set fleet.ttl=5m --minute 3s

ok "launch: instances are asked for" wait_until 30 asked_for_fleet launch
strike launch
ok "load: the phase runs" wait_until 30 loads load
strike load
ok "cap: the phase runs" wait_until 30 loads cap
strike cap
CAP_URL=$CLOUD_URL CAP_TOKEN=$CLOUD_TOKEN CAP_ENDPOINT=$CLOUD_ENDPOINT CAP_PID=$(jq .pid "$CLOUD_ENDPOINT")

into launch
is "launch: status is exit 11" "$(code "$DAYFLY" status)" 11
like "and says that the head is dead" "$(cat "$WORK/said")" '*head is dead*'
is "down from another shell ends all" "$(code "$DAYFLY" down "$RUN" --yes)" 0
is "nothing is left" "$(truth .totals.left)" 0
is "each call launched once" "$(truth '[.instances[].client_token] | group_by(.) | map(length) | sort | join(" ")')" "1 4"
is "status is well again" "$(code "$DAYFLY" status)" 0
control stop >/dev/null

into load
is "load: status is exit 11" "$(code "$DAYFLY" status --json)" 11
is "also as JSON" "$(jq -c '[.head_alive, .instances]' "$WORK/said")" '[false,5]'
is "gc --dry-run ends nothing" "$(code "$DAYFLY" gc --dry-run)" 0
is "all five are there" "$(truth .totals.running)" 5
is "gc ends all" "$(code "$DAYFLY" gc --yes)" 0
is "nothing is left" "$(truth .totals.left)" 0
is "no launch was waited for: all were settled" "$(grep -c provisional "$WORK/said")" 0
control stop >/dev/null

CLOUD_URL=$CAP_URL CLOUD_TOKEN=$CAP_TOKEN
ok "with neither, the caps end every instance" wait_until 40 truth_is '.totals.terminated' 5
is "by themselves: nobody asked for it" \
    "$(truth '[.calls[] | select(.action == "TerminateInstances")] | length')" 0
is "by the shutdown that each had planned for itself" \
    "$(truth '[.instances[].reason] | unique | join(" ")')" Client.InstanceInitiatedShutdown
ended() { ! kill -0 "$CAP_PID"; }
ok "then the cloud ends itself" wait_until 15 ended
done_testing
