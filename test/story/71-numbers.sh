#!/bin/bash
# Numbers: eight generators send what was planned, start together, and their merged percentiles are
# those of what the server itself wrote down.
. "$(dirname "$0")/faults.sh"

cat >"$WORK/ramp.yaml" <<'YAML'
dayfly: 1
name: ramp
fleet: {region: us-east-1, ttl: 10m}
roles:
  web:
    service: >-
      "$DAYFLY_BIN" serve --listen ${{ node.private_ip }} --port 8080 --latency 8ms --jitter 6ms
      --access-log served.log
    ready: {tcp: 8080, every: 100ms}
  load: {count: 8}
phases:
  - name: warm
    nodes: load
    warmup: true
    duration: 1s
    http:
      url: http://${{ roles.web[0].private_ip }}:8080/warm
      rate: 40/s
      expect: {status: 404}
  - name: ramp
    nodes: load
    http:
      base: http://${{ roles.web[0].private_ip }}:8080
      stages: [{to: 600/s, over: 3s}, {hold: 2s}, {to: 0/s, over: 1s}]
      requests: [{name: home, get: /, weight: 5}, {name: buy, post: /buy, weight: 3}]
  - {name: settle, wait: 1s}     # the server writes its log twice a second
thresholds:
  - p50 < 1ms, warn
  - p99 < 30s
  - errors < 0.1%
collect:
  - {nodes: web, from: served.log}
YAML
begin ramp "" "$WORK/ramp.yaml"
begin closed "" "$STORY_ROOT/examples/closed.yaml" --set phases.browse.duration=3s
begin broken "" "$WORK/ramp.yaml" --set thresholds.1='p99 < 2ms' --set thresholds.0='rate > 1/s over 1s' \
    --set phases.ramp.http.stages.0.over=1s --set phases.ramp.http.stages.1.hold=1s

finish ramp
is "the ramp ends well: a warning and errors of a warm-up fail nothing" "$CODE" 0
ramp() { jq -r ".phases[]|select(.name==\"ramp\")|$1" "$RESULT"; }
# 0 to 600/s in 3 s, 2 s at 600/s, 1 s back to 0: 900 + 1200 + 300
is "the plan asks for 2,400 requests" "$(ramp .planned)" 2400
ok "what was done is that to 0.1 %" test "$(ramp '((.done - .planned)|fabs) <= .planned / 1000')" = true
is "by request the counts add up to all" "$(ramp '[.requests[].done]|add')" "$(ramp .done)"
is "and by node" "$(jq '[.nodes[].requests // 0]|add' "$RESULT")" "$(ramp .done)"
ok "each generator had its share" test "$(jq '[.nodes[]|select(.role=="load")|.requests]|
    max - min <= 1' "$RESULT")" = true
ok "weights hold" test "$(ramp '(.requests[]|select(.name=="home")|.done) as $n |
    $n > 1380 and $n < 1620')" = true
ok "the start skew over 8 nodes is told and below 50 ms" test "$(ramp '.start_skew_us as $s |
    $s > 0 and $s < 50000')" = true
echo "# start skew: $(ramp .start_skew_us) us"
is "the warm-up does not count" "$(jq -r '.phases[]|select(.name=="warm")|.counts' "$RESULT")" false
is "though all of it failed" "$(jq -r '.phases[]|select(.name=="warm")|.errors' "$RESULT")" 40
is "a broken threshold with warn only warns" "$(jq -r '.thresholds[0].state' "$RESULT")" warned

LOG=$(find "$(dirname "$RESULT")/nodes" -name served.log)
awk '$5 != "/warm" {n++} END {print n}' "$LOG" >"$WORK/served"
is "the server counts the same requests" "$(cat "$WORK/served")" "$(ramp .done)"
# read and written in monotonic ns: what the server knows of its own slowness, by nearest rank
awk '$5 != "/warm" {print int(($2 - $1) / 1000)}' "$LOG" | sort -n >"$WORK/truth"
rank() { awk -v q="$1" '{v[NR] = $1} END {i = q * NR; i = i > int(i) ? int(i) + 1 : i; print v[i]}' \
    "$WORK/truth"; }
for q in 50 90 99; do
    want=$(rank "0.$q") got=$(ramp ".service.p${q}_us")
    echo "# p$q: server $want us, merged service time $got us"
    ok "p$q of eight merged histograms is the server's plus the way to it" \
        test "$got" -ge $((want * 999 / 1000)) -a "$got" -le $((want + 6000))
done
HLOG=$(dirname "$RESULT")/latency.hlog
is "the log of histograms has the phases and requests" \
    "$(sed -n 's/^Tag=\([^,]*\),.*/\1/p' "$HLOG" | grep -v service | sort | tr '\n' ' ')" \
    "ramp ramp/buy ramp/home warm warm/url "
nothing_left "and nothing is left"

finish broken
is "a threshold that does not hold is exit 99" "$CODE" 99
is "the other one does" "$(jq -r '[.thresholds[].state]|join(" ")' "$RESULT")" "ok failed ok"
nothing_left "and nothing is left"

finish closed
is "the closed loop holds its promises" "$CODE" 0
ok "each user has one request at a time" test "$(jq '.phases[0].done as $n | $n > 300 and
    $n <= 120 * 3 / 0.11 + 120' "$RESULT")" = true
nothing_left "and nothing is left"
done_testing
