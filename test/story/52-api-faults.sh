#!/bin/bash
# An API in trouble: throttling, listings that fail, terminations that fail for a while.
. "$(dirname "$0")/faults.sh"

S=$WORK/small.yaml
begin throttled "--fault op=*,mode=error=RequestLimitExceeded,nth=4,times=2 --fault op=CreateFleet,mode=error=RequestLimitExceeded,times=5"
begin blind "--fault op=DescribeInstances,mode=error=InternalError,nth=3,times=12"
begin stuck "--fault op=TerminateInstances,mode=error=InternalError,times=8"
begin broken "--fault op=DescribeInstances,mode=truncate,times=5"

finish throttled
is "a throttled API is waited for" "$CODE" 0
is "it was throttled" "$(truth '[.calls[] | select(.outcome == "RequestLimitExceeded")] | length')" 7
is "five nodes, no more" "$(truth .totals.instances)" 5
nothing_left "nothing is left"

finish blind
is "listings that fail are not empty ones" "$CODE" 0
is "nobody is taken for lost" "$(jq -s '[.[] | select(.verb == "lost")] | length' "$EVENTS")" 0
is "five nodes, no more" "$(truth .totals.instances)" 5
is "clean is said after two good listings that began after every end" "$(truth '
    ([.instances[].ending_unix_ms] | max) as $last
    | [.calls[] | select(.action == "DescribeInstances" and .outcome == "ok"
                         and .unix_ms > $last)] | length >= 2')" true
nothing_left "nothing is left"

finish stuck
is "terminations that fail are tried again" "$CODE" 0
ok "they failed" test "$(truth '[.calls[] | select(.action == "TerminateInstances" and .outcome != "ok")] | length')" -ge 2
nothing_left "nothing is left"

finish broken
is "half an answer is none" "$CODE" 0
nothing_left "nothing is left"
done_testing
