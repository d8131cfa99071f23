#!/bin/bash
# The load engine against other generators, as ratios in one run.
#
#   1. CPU of the generator per request, dayfly against wrk, on one server: interleaved rounds,
#      medians.  Server on core 0, generator on core 1.  Goal: dayfly <= 1.25 of wrk.
#   2. A server that stalls 200 ms every 2 s, 2,000 requests/s: what dayfly and hey report, and the
#      truth from the server's own log.  Goal: p99 and p99.9 of dayfly within 2 % of the truth.
#
# ROUNDS (5), SECONDS_EACH (3), STALL_SECONDS (20) and DAYFLY may be set.  Exit code 1: a goal was
# missed; what is not installed (wrk, hey) is left out and said.
set -eu -o pipefail
cd "$(dirname "$0")/.."
DAYFLY=${DAYFLY:-build/dayfly}
ROUNDS=${ROUNDS:-5}
SECONDS_EACH=${SECONDS_EACH:-3}
STALL_SECONDS=${STALL_SECONDS:-20}
CONNECTIONS=64
WORK=$(mktemp -d "${TMPDIR:-/tmp}/dayfly-bench-XXXXXX")
SERVE_PID=
cleanup() { if [ -n "$SERVE_PID" ]; then kill "$SERVE_PID" 2>/dev/null || true; fi; rm -rf "$WORK"; }
trap cleanup EXIT
MISSED=0

serve_start() {
    taskset -c 0 "$DAYFLY" serve --listen 127.0.0.1 -p 0 -q "$@" >"$WORK/served" &
    SERVE_PID=$!
    for _ in $(seq 100); do grep -q listening "$WORK/served" && break; sleep 0.05; done
    URL=$(sed -n 's/^listening on //p' "$WORK/served")
    [ -n "$URL" ] || { echo "the server does not listen"; exit 1; }
}
serve_stop() { kill "$SERVE_PID"; wait "$SERVE_PID" || true; SERVE_PID=; }

# user + system CPU seconds of a command pinned to core 1; its output goes to $WORK/out
cpu_of() {
    local TIMEFORMAT='%U %S'
    { time taskset -c 1 "$@" >"$WORK/out" 2>&1; } 2>"$WORK/time"
    awk '{print $1 + $2}' "$WORK/time"
}
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
goal() { # sentence, awk condition
    if awk "BEGIN {exit !($2)}"; then echo "pass  $1"; else echo "FAIL  $1"; MISSED=1; fi
}

cpu_per_request() {
    local round cpu requests
    command -v wrk >/dev/null || { echo "wrk is not installed: no comparison of CPU"; return; }
    serve_start
    : >"$WORK/dayfly"; : >"$WORK/wrk"
    echo "CPU of the generator per request, us ($CONNECTIONS connections, keep-alive, $ROUNDS rounds of ${SECONDS_EACH}s)"
    for round in $(seq "$ROUNDS"); do
        cpu=$(cpu_of "$DAYFLY" bench "$URL" -c $CONNECTIONS -d "${SECONDS_EACH}s" --json)
        requests=$(jq .answered "$WORK/out")
        awk "BEGIN {print $cpu * 1e6 / $requests}" >>"$WORK/dayfly"
        cpu=$(cpu_of wrk -t 1 -c $CONNECTIONS -d "${SECONDS_EACH}s" "$URL")
        requests=$(awk '/requests in/ {print $1}' "$WORK/out")
        awk "BEGIN {print $cpu * 1e6 / $requests}" >>"$WORK/wrk"
        printf '  round %d   dayfly %.2f   wrk %.2f\n' "$round" "$(tail -n 1 "$WORK/dayfly")" \
            "$(tail -n 1 "$WORK/wrk")"
    done
    serve_stop
    local ours theirs ratio
    ours=$(median <"$WORK/dayfly"); theirs=$(median <"$WORK/wrk")
    ratio=$(awk "BEGIN {printf \"%.2f\", $ours / $theirs}")
    printf '  median    dayfly %.2f   wrk %.2f   ratio %s\n' "$ours" "$theirs" "$ratio"
    goal "dayfly uses at most 1.25 times the CPU of wrk per request: $ratio" "$ratio <= 1.25"
}

stall_dayfly() { # connections
    serve_start --stall 200ms/2s --access-log "$WORK/log"
    taskset -c 1 "$DAYFLY" bench "$URL" -r 2000/s -d "${STALL_SECONDS}s" -c "$1" --json >"$WORK/out"
    serve_stop
    echo "dayfly, $1 connections: $(jq '.ok / .duration_s | round' "$WORK/out")/s"
    if python3 bench/stall_truth.py "$WORK/log" "$WORK/out" --check 2 | sed 's/^/  /'; then
        echo "pass  p99 and p99.9 within 2 % of the truth with $1 connections"
    else
        echo "FAIL  p99 and p99.9 within 2 % of the truth with $1 connections"; MISSED=1
    fi
}

stall_hey() { # connections
    command -v hey >/dev/null || { echo "hey is not installed: left out"; return; }
    serve_start --stall 200ms/2s
    taskset -c 1 hey -z "${STALL_SECONDS}s" -c "$1" -q $((2000 / $1)) -o csv "$URL" >"$WORK/hey.csv"
    serve_stop
    tail -n +2 "$WORK/hey.csv" | cut -d, -f1 | sort -g | awk -v s="$STALL_SECONDS" -v c="$1" '
        function at(p) { k = int(NR * p + 0.999999); return 1000 * v[k < 1 ? 1 : k] }
        {v[NR] = $1}
        END {printf "hey, %d connections: %d/s\n  reported ms: p50 %.3f  p99 %.3f  p99.9 %.3f  max %.3f\n",
             c, NR / s, at(0.5), at(0.99), at(0.999), 1000 * v[NR]}'
}

cpu_per_request
echo
echo "A server that stalls 200 ms every 2 s, 2,000 requests/s for ${STALL_SECONDS}s"
for connections in 50 10; do
    stall_dayfly $connections
    stall_hey $connections
done
exit $MISSED
