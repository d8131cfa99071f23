#!/bin/bash
# A newcomer copies the plan of the README and looks at the run from a second shell, while it runs
# and afterwards: list, nodes, status, doctor, plan, results; for people and as JSON.
. "$(dirname "$0")/lib.sh"
need jq
export LC_ALL=C.UTF-8
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION
cd "$WORK" || bail "no folder"

awk '/^```yaml$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$STORY_ROOT/README.md" > first.yaml
ok "the plan of the README is valid" "$DAYFLY" validate first.yaml
json() { jq -e "$@" > /dev/null; } # the input is one JSON document for which this is true
fits() { awk 'length > 80 {print; bad = 1} END {exit bad}' <<< "$1"; }

said=$("$DAYFLY" list 2>&1); code=$?
is "before anything: nothing is up" "$said" "nothing is up"
is "and that is no failure" "$code" 0
ok "list --json says the same" json '.schema == "dayfly.list/1" and .fleets == []' < <("$DAYFLY" list --json)
said=$("$DAYFLY" nodes 2>&1); is "nodes without a fleet fails" "$?" 1
like "and says where to look" "$said" "*nothing is up*dayfly list*"
said=$("$DAYFLY" results list 2>&1); is "no results are no failure" "$?" 0
like "and how to get some is said" "$said" "no results here*dayfly rehearse*"
said=$("$DAYFLY" results show 2>&1); is "there is none to show" "$?" 1
said=$("$DAYFLY" plan first.yaml 2>&1); code=$?
is "plan without credentials has no access" "$code" 4
like "and a way without AWS is named" "$said" "*dayfly rehearse first.yaml*"
said=$("$DAYFLY" doctor 2>&1); is "doctor without credentials: not all is well" "$?" 11
like "with a fix" "$said" "*fix: *AWS_ACCESS_KEY_ID*"
ok "doctor --json is JSON" json '.schema == "dayfly.doctor/1"' < <("$DAYFLY" doctor --json)

"$DAYFLY" rehearse first.yaml > out 2> err &
head=$!
STORY_PIDS+=("$head")
wait_until 30 grep -q 'phase_start phase=steady' err || bail "the load never began: $(tail -n 1 err)"
run=$(sed -n 's/.* run=\([a-z0-9]*\) .*/\1/p' err | head -n 1)
said=$("$DAYFLY" list 2>&1); code=$?
is "while it runs: list ends with 0" "$code" 0
like "it shows the fleet" "$said" "NAME*first*$run*"
ok "in 80 columns" fits "$said"
ok "list --json" json --arg run "$run" '.fleets[0].run == $run and .fleets[0].nodes == 4' \
    < <("$DAYFLY" list --json)
said=$("$DAYFLY" nodes 2>&1)
is "nodes has a line for each" "$(grep -c ' running ' <<< "$said")" 4
is "and their names" "$(cut -d ' ' -f 1 <<< "$said" | sort | tr '\n' ' ')" "NODE load:0 load:1 load:2 web:0 "
ok "nodes --json" json '[.nodes[].name] | sort == ["load:0", "load:1", "load:2", "web:0"]' \
    < <("$DAYFLY" nodes first --json)
ok "status shows the present rate" wait_until 8 sh -c "'$DAYFLY' status | grep -qE 'now +steady .* [0-9]+/s +p99'"
said=$("$DAYFLY" status 2>&1); is "status is well" "$?" 0
like "and names the run and its state" "$said" "first/$run  running  4 instances, 4 running*"
ok "in 80 columns" fits "$said"
ok "status --json" json '.head_alive and .running == 4' < <("$DAYFLY" status --json)
wait "$head"; is "the run passes" "$?" 0

is "afterwards nothing is up" "$("$DAYFLY" list 2>&1)" "nothing is up"
said=$("$DAYFLY" status 2>&1); is "status is well" "$?" 0
like "and says that the run ended clean" "$said" "first/$run  ended, clean*"
said=$("$DAYFLY" results list)
like "results list has it" "$said" "*$run*first*PASS*"
ok "results list --json" json --arg run "$run" '.results[0] | .run == $run and .verdict == "PASS"' \
    < <("$DAYFLY" results list --json)
is "results show says what the run said" "$("$DAYFLY" results show "$run")" "$(cat out)"
ok "results show --json is result.json" cmp <("$DAYFLY" results show last --json) "results/first-$run/result.json"
is "results open names the page" "$("$DAYFLY" results open)" "$WORK/results/first-$run/report.html"
is "results are found from elsewhere" "$(cd / && "$DAYFLY" results show "$run" | head -n 1)" "$(head -n 1 out)"
ok "no line of the summary is wider than 80 columns" \
    python3 -c 'import sys; sys.exit(any(len(line.rstrip()) > 80 for line in open("out", encoding="utf-8")))'

cloud_start --boot 0s
said=$("$DAYFLY" plan first.yaml --endpoint-url "$CLOUD_URL" 2>&1); code=$?
is "plan on a cloud ends with 0" "$code" 0
like "it prices each role" "$said" "*ROLE*web*c7i.large*load*"
like "and says what it will cost at worst" "$said" "*COST*expected*budget*worst case*"
like "and what next" "$said" "*next: dayfly rehearse first.yaml*"
ok "in 80 columns" fits "$said"
ok "plan --json" json '.schema == "dayfly.plan/1" and (.roles | length == 2) and .expected_usd > 0' \
    < <("$DAYFLY" plan first.yaml --endpoint-url "$CLOUD_URL" --json)
is "and nothing was made" "$(truth '.totals.ever // .totals.left')" 0
said=$("$DAYFLY" doctor --endpoint-url "$CLOUD_URL" 2>&1); is "doctor is content with it" "$?" 0
done_testing
