#!/bin/bash
# `dayfly run` against a cloud at an address, with AWS' own times; and a plan that never gets there.
. "$(dirname "$0")/faults.sh"

cloud_start $FAST
cat >"$WORK/wrong.yaml" <<'YAML'
dayfly: 1
name: wrong
roles:
  load: {count: 2, instnces: [c7g.large], replace_after: 90}
phases:
  - name: main
    nodes: laod
    wait: 1s
YAML
code=0
"$DAYFLY" run "$WORK/wrong.yaml" --endpoint-url "$CLOUD_URL" >"$WORK/said" 2>&1 || code=$?
is "a plan with three mistakes is exit 3" "$code" 3
like "a key with its place and a proposal" "$(cat "$WORK/said")" '*wrong.yaml:4:*instnces*instances*'
like "a duration without a unit" "$(cat "$WORK/said")" '*replace_after*90s*'
like "a role that is not there" "$(cat "$WORK/said")" '*wrong.yaml:7:*laod*load*'
like "they are counted" "$(cat "$WORK/said")" '*3 errors*'
is "the cloud has heard not one call" "$(truth .totals.calls)" 0

# Instances that are not this machine's own need the architecture of this program, which they run.
printf '%s\n' 'dayfly: 1' 'name: arch' 'roles:' '  a: {count: 1, instances: [c7g.large, c7i.large]}' \
    'phases: [{name: p, nodes: a, run: "true"}]' >"$WORK/arch.yaml"
case $(uname -m) in aarch64) own=c7g.large other=c7i.large ;; *) own=c7i.large other=c7g.large ;; esac
like "types of another architecture are left out" "$("$DAYFLY" plan "$WORK/arch.yaml" --json \
    --endpoint-url "${CLOUD_URL/127.0.0.1/localhost}" | jq -r '.roles[0].type')" "$own"
code=0
said=$("$DAYFLY" plan "$WORK/arch.yaml" --set "roles.a.instances=[$other]" \
    --endpoint-url "${CLOUD_URL/127.0.0.1/localhost}" 2>&1) || code=$?
is "and when none is left there is no capacity" "$code" 5
like "which is said" "$said" '*of another architecture than this program*'

code=0
AWS_SECRET_ACCESS_KEY=wrong "$DAYFLY" run "$WORK/small.yaml" --endpoint-url "$CLOUD_URL" \
    >"$WORK/said" 2>&1 || code=$?
is "a wrong key is exit 4" "$code" 4
like "with the way on" "$(cat "$WORK/said")" '*dayfly doctor*'

code=0
(cd "$WORK" && "$DAYFLY" run small.yaml --set vars.seconds=1s --endpoint-url "$CLOUD_URL" --json \
    >out.json 2>err) || code=$?
is "the same plan runs with run --endpoint-url" "$code" 0
is "five nodes" "$(truth .totals.instances)" 5
is "nothing is left" "$(truth .totals.left)" 0
is "two empty listings 30 s apart have proved it" "$(truth '
    ([.instances[].ended_unix_ms] | max) as $last
    | [.calls[] | select(.action == "DescribeInstances" and .unix_ms > $last) | .unix_ms]
    | (last - first) >= 29000')" true
ok "stdout is JSON, record by record" jq -es 'length > 5' "$WORK/out.json"
is "with the version first" "$(head -n 1 "$WORK/out.json" | jq -r .type)" version
is "the summary is not in it" "$(jq -s 'last | .type' "$WORK/out.json")" '"result"'
done_testing
