#!/bin/bash
# Trouble while a fleet is launched: duds, a lost reply, too little capacity, no permission.
. "$(dirname "$0")/faults.sh"

sed 's/replace_after: 20s/replace_after: 4s/' "$WORK/small.yaml" >"$WORK/quick.yaml"
sed 's/min: 3/min: 2/' "$WORK/small.yaml" >"$WORK/two.yaml"
begin dud "--dud 25% --seed 11" "$WORK/quick.yaml"
begin lost "--fault op=CreateFleet,nth=1,mode=lost-reply"
begin half "--capacity *=1" "$WORK/small.yaml" --set fleet.launch_timeout=5s \
    --set 'roles.load.instances=[c7g.large]' --set fleet.zones=one --set roles.load.count=6 \
    --set roles.load.min=6
begin quorum "--capacity c6g.*=0 --capacity c7g.*@us-east-1a=1 --capacity c7g.*=1" "$WORK/two.yaml" \
    --set fleet.launch_timeout=4s
begin denied "--fault op=CreateFleet,mode=error=UnauthorizedOperation,times=always"
begin access "--fault op=GetCallerIdentity,mode=error=UnauthorizedOperation,times=always"

finish dud
is "duds are replaced and the run passes" "$CODE" 0
duds=$(truth '[.instances[] | select(.dud != "none")] | length')
ok "there were duds ($duds)" test "$duds" -ge 1
is "each dud is named with its id and why" \
    "$(jq -rs '[.[] | select(.type == "rollcall" and .verb == "silent") | .id] | sort | unique | join(" ")' "$EVENTS")" \
    "$(truth '[.instances[] | select(.dud != "none") | .id] | sort | join(" ")')"
ok "the reason stands in the event" said rollcall '.verb == "silent" and .why == "silent" and (.text | contains("never called home"))'
is "its replacement was asked for before it was ended" "$(truth '
    [.instances[] | select(.dud == "none") | .asked_unix_ms] as $asked
    | [.instances[] | select(.dud != "none") | .ending_unix_ms as $end
       | ([$asked[] | select(. < $end)] | length)] | all(. >= 5)')" true
is "five worked, under the numbers of the plan" \
    "$(jq -r '[.nodes[] | select(.fate == "gone") | .slot] | sort | join(" ")' "$RESULT")" \
    "load:0 load:1 load:2 load:3 web:0"
is "the duds are duds in the result" \
    "$(jq -r '[.nodes[] | select(.fate == "dud")] | length' "$RESULT")" "$duds"
nothing_left "the duds are ended like all others"

finish lost
is "a lost reply of CreateFleet does no harm" "$CODE" 0
is "five nodes were launched, exactly once" "$(truth .totals.instances)" 5
is "the same token was sent twice" "$(truth '
    [.calls[] | select(.action == "CreateFleet") | .token] | group_by(.) | map(length) | sort | join(" ")')" "1 2"
nothing_left "and all are gone"

finish half
is "half the capacity is exit 5" "$CODE" 5
ok "each short pool is named" said capacity '.type == "capacity" and .zone != null and .text != null'
like "the summary says why" "$(cat "$OUT")" '*capacity*'
nothing_left "what had been launched is given back"

finish quorum
is "with the quorum it goes on" "$CODE" 0
ok "and says so" said rollcall '.verb == "quorum"'
nothing_left "and is given back"

finish denied
is "a launch that is not permitted is exit 4" "$CODE" 4
like "the summary says so" "$(cat "$OUT")" '*not permitted*'
nothing_left "group and templates are gone"

finish access
is "no access is exit 4" "$CODE" 4
like "the error names the call" "$(cat "$ERR")" '*GetCallerIdentity*'
like "and what to do" "$(cat "$ERR")" '*dayfly doctor*'
is "and nothing else was asked" "$(truth '[.calls[].action] | unique | join(" ")')" GetCallerIdentity
done_testing
