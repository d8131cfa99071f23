#!/bin/bash
# A fleet of NODES (300) in rehearsal, medians of ROUNDS (3) in each isolation:
#
#   rollcall_s      from the command to the end of the roll call (goal: under 20, on two cores)
#   head_mib        most memory that the head ever held (goal: under 200)
#   calls           API calls from launch to clean, by the cloud's own count (goal: at most 60)
#   total_s         the whole command
#
# Instants are those of events.ndjson. One line of JSON for each isolation; exit code 1: a goal was
# missed. ISOLATE (default "process", and "namespace" for root) and DAYFLY may be set.
set -eu -o pipefail
cd "$(dirname "$0")/.."
DAYFLY=$(realpath "${DAYFLY:-build/dayfly}")
NODES=${NODES:-300}
ROUNDS=${ROUNDS:-3}
ISOLATE=${ISOLATE:-process$([ "$(id -u)" != 0 ] || echo " namespace")}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/dayfly-bench-XXXXXX")
export XDG_STATE_HOME=$WORK/state
HEAD_PID=
cleanup() {
    # An interrupted head gives everything back; so does gc for one that did not.
    if [ -n "$HEAD_PID" ]; then
        kill -INT "$HEAD_PID" 2>/dev/null && wait "$HEAD_PID" || true
        "$DAYFLY" gc --yes >/dev/null 2>&1 || true
    fi
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
MISSED=0

cat >"$WORK/many.yaml" <<PLAN
dayfly: 1
name: many
fleet: {ttl: 30m, rollcall_timeout: 2m}
roles: {load: {count: $NODES, instances: [c7g.large]}}
phases: [{name: hello, nodes: load, run: "true"}]
PLAN

median() { sort -n "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
peak_kib() { awk '/VmHWM/ {print $2}' "/proc/$1/status" 2>/dev/null || true; }

round() { # isolate
    local dir kib peak=0 began code=0
    dir=$(mktemp -d "$WORK/round-XXXX")
    began=$(date +%s.%N)
    (cd "$dir" && exec "$DAYFLY" rehearse "$WORK/many.yaml" --progress=plain \
        --set fleet.local.isolate="$1" >out 2>&1) &
    HEAD_PID=$!
    while kill -0 "$HEAD_PID" 2>/dev/null; do
        kib=$(peak_kib "$HEAD_PID")
        peak=${kib:-$peak}
        sleep 0.2
    done
    wait "$HEAD_PID" || code=$?
    HEAD_PID=
    if [ "$code" -ne 0 ]; then
        tail -n 20 "$dir/out" >&2
        exit 1
    fi
    jq -r --argjson began "$began" 'def s: (.t[:19] + "Z" | fromdate) + (.t[20:23] | tonumber / 1000);
        select(.type == "rollcall" and .answered_of) | s - $began' "$dir"/results/*/events.ndjson |
        tail -n 1 >>"$WORK/rollcall.$1"
    awk -v now="$(date +%s.%N)" -v began="$began" 'BEGIN {print now - began}' >>"$WORK/total.$1"
    awk -v kib="$peak" 'BEGIN {print kib / 1024}' >>"$WORK/head.$1"
    sed -nE 's/.*after ([0-9]+) calls.*/\1/p' "$dir"/results/*/summary.txt >>"$WORK/calls.$1"
}

for isolate in $ISOLATE; do
    for _ in $(seq "$ROUNDS"); do round "$isolate"; done
    jq -cn --arg isolate "$isolate" --argjson nodes "$NODES" --argjson rounds "$ROUNDS" \
        --argjson rollcall "$(median "$WORK/rollcall.$isolate")" \
        --argjson head "$(median "$WORK/head.$isolate")" \
        --argjson calls "$(median "$WORK/calls.$isolate")" \
        --argjson total "$(median "$WORK/total.$isolate")" \
        '{bench: "scale", isolate: $isolate, nodes: $nodes, rounds: $rounds,
          rollcall_s: ($rollcall * 100 | round / 100), head_mib: ($head * 10 | round / 10),
          calls: $calls, total_s: ($total * 100 | round / 100),
          pass: ($rollcall < 20 and $head < 200 and $calls <= 60)}' | tee "$WORK/line"
    jq -e .pass "$WORK/line" >/dev/null || MISSED=1
done
exit $MISSED
