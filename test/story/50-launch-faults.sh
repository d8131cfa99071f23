#!/bin/bash
# Trouble while a fleet is launched: duds, a lost reply, too little capacity, no permission.
. "$(dirname "$0")/faults.sh"

sed 's/replace_after: 20s/replace_after: 4s/' "$WORK/small.yaml" >"$WORK/quick.yaml"
sed 's/min: 3/min: 2/' "$WORK/small.yaml" >"$WORK/two.yaml"
begin dud "--dud 25% --seed 11" "$WORK/quick.yaml"
begin lost "--fault op=CreateFleet,nth=1,mode=lost-reply"
begin mute "--fault op=CreateFleet,times=6,mode=drop-before"
begin half "--capacity *=3" "$WORK/small.yaml" --set fleet.launch_timeout=4s
begin quorum "--capacity *=3" "$WORK/two.yaml" --set fleet.launch_timeout=4s
begin denied "--fault op=CreateFleet,mode=error=UnauthorizedOperation,times=always"
begin access "--fault op=DescribeVpcs,mode=error=UnauthorizedOperation,times=always"

finish dud
is "duds are replaced and the run passes" "$CODE" 0
duds=$(truth '[.instances[] | select(.dud != "none")] | length')
ok "there were duds ($duds)" test "$duds" -ge 1
is "each dud is named with its id and why" "$(jq -rs '[.[]
    | select(.type == "rollcall" and .verb == "silent" and .why == "silent" and .for_ms >= 4000)
    | .id] | sort | unique | join(" ")' "$EVENTS")" \
    "$(truth '[.instances[] | select(.dud != "none") | .id] | sort | join(" ")')"
ok "in words too" said rollcall '.verb == "silent" and (.text | test("i-[0-9a-f]+.*never called home"))'
is "a replacement had been launched before a dud was ended" "$(truth '
    [.instances[] | .asked_unix_ms] as $asked
    | [.instances[] | select(.dud != "none") | .ending_unix_ms as $ending
       | [$asked[] | select(. < $ending)] | length] | all(. > 5)')" true
is "five worked, under the numbers of the plan" \
    "$(jq -r '[.nodes[] | select(.fate == "gone") | .slot] | sort | join(" ")' "$RESULT")" \
    "load:0 load:1 load:2 load:3 web:0"
is "the duds are duds in the result" \
    "$(jq -r '[.nodes[] | select(.fate == "dud")] | length' "$RESULT")" "$duds"
nothing_left "the duds are ended like all others"

finish lost
is "a lost reply of CreateFleet does no harm" "$CODE" 0
is "five nodes were launched, no more" "$(truth .totals.instances)" 5
is "each of two tokens launched once" "$(truth '[.calls[]
    | select(.action == "CreateFleet" and .launched > 0) | .token] | group_by(.)
    | map(length) | join(" ")')" "1 1"
is "the lost one was sent twice" "$(truth '[.calls[] | select(.action == "CreateFleet")] | length')" 3
nothing_left "and all are gone"

finish mute
is "when all tries of a launch are cut off, they are made again" "$CODE" 0
is "five nodes were launched, no more" "$(truth .totals.instances)" 5
ok "the story says that there was no answer" said launch '.verb == "unknown"'
ok "and how it was settled" said launch '.verb == "settled"'
nothing_left "and all are gone"

finish half
is "half the capacity is exit 5" "$CODE" 5
for zone in a b c; do
    ok "the short pool in zone $zone is named" said capacity \
        ".why == \"capacity\" and .zone == \"us-east-1$zone\" and .instance_type == \"c7g.large\""
done
like "the summary says what is missing" "$(sed -n 2p "$OUT")" '*load 2 < 3*no capacity*'
is "some were launched" "$(truth .totals.instances)" 3
nothing_left "and given back"

finish quorum
is "with the quorum it goes on" "$CODE" 0
ok "and says so" said rollcall '.verb == "quorum"'
like "the summary doubts the numbers" "$(cat "$OUT")" '*fewer*'
nothing_left "and is given back"

finish denied
is "a launch that is not permitted is exit 4" "$CODE" 4
like "the summary says so" "$(sed -n 2p "$OUT")" '*launch refused: not permitted*'
nothing_left "group and templates are gone"

finish access
is "no access is exit 4" "$CODE" 4
like "the error says what and what to do" "$(cat "$ERR")" '*UnauthorizedOperation*dayfly doctor*'
is "nothing was made" "$(truth '[.calls[].action | select(test("Create|Run"))] | length')" 0
done_testing
