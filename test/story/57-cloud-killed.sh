#!/bin/bash
# The rehearsal cloud itself is killed by SIGKILL, and everything in it ends: every command sees
# that at once, and the next cloud removes what the dead one left.
. "$(dirname "$0")/faults.sh"

CLOUDS=$XDG_STATE_HOME/dayfly/clouds
into() { # the state of the one run and its cloud
    CLOUD_ENDPOINT=$(find "$CLOUDS" -name endpoint.json 2>/dev/null | head -n 1)
    RUN=$(sed -n 's/.*run=\([a-z0-9]*\) .*/\1/p' "$WORK/err" | head -n 1)
    EVENTS=$XDG_STATE_HOME/dayfly/runs/$RUN/events.ndjson
    [ -n "$CLOUD_ENDPOINT" ] && [ -n "$RUN" ]
}
loads() { into && said phase_start true; }
code() { timeout 5 "$@" >"$WORK/said" 2>&1; echo $?; }
alone() { local pid; for pid in $PIDS; do ! kill -0 "$pid" 2>/dev/null || return 1; done; }

cd "$WORK" || exit 1
# shellcheck disable=SC2086
"$DAYFLY" rehearse small.yaml $FAST --set vars.seconds=60s --progress=plain >out 2>err &
HEAD=$!
STORY_PIDS+=("$HEAD")
ok "the phase runs" wait_until 30 loads
into
CLOUD=$(jq .pid "$CLOUD_ENDPOINT")
CLOUD_URL=$(jq -r .url "$CLOUD_ENDPOINT") CLOUD_TOKEN=$(jq -r .token "$CLOUD_ENDPOINT")
PIDS=$(truth '.instances[].pid')
is "five instances are processes" "$(echo "$PIDS" | grep -c '^[1-9]')" 5
DEAD=$(dirname "$CLOUD_ENDPOINT")
STORY_PIDS+=("$CLOUD")
kill -9 "$CLOUD"
ok "all instances end with it" wait_until 10 alone

is "list notices at once" "$(code "$DAYFLY" list)" 0
is "nothing is up" "$(cat said)" "nothing is up"
is "down leaves the run to its living head" "$(code "$DAYFLY" down "$RUN" --yes)" 2
like "and says why" "$(cat said)" "*all its instances with it*Ctrl-C*"
kill -9 "$HEAD"
wait "$HEAD" 2>/dev/null
is "status: nothing is up that could be lost" "$(code "$DAYFLY" status "$RUN")" 0
like "and says that all has ended" "$(cat said)" "*cloud has ended, and all its instances with it*"
is "also as JSON" "$(code "$DAYFLY" status "$RUN" --json; jq -c '[.instances, .head_alive, .known]' said)" \
    $'0\n[0,false,true]'
is "gc has nothing to end" "$(code "$DAYFLY" gc --dry-run)" 0
ok "its folder is still there" test -e "$DEAD/endpoint.json"
is "down ends the run" "$(code "$DAYFLY" down "$RUN" --yes)" 0
like "and says that all has ended" "$(cat said)" "*cloud has ended, and all its instances with it*"
is "now it counts as clean" "$(code "$DAYFLY" status "$RUN"; head -n 1 said)" \
    "0"$'\n'"small/$RUN  ended, clean  0 instances, 0 running"

# shellcheck disable=SC2086
"$DAYFLY" rehearse small.yaml $FAST --set vars.seconds=1s --progress=plain >out2 2>err2
is "the next rehearsal passes" "$?" 0
is "no folder of either cloud is left" "$(ls -A "$CLOUDS")" ""
done_testing
