#!/bin/bash
# --json of every command: one document (or one a line), nothing else on stdout.
. "$(dirname "$0")/faults.sh"

pure() { # sentence schema-glob command...: one document with that schema, whatever the exit code
    local sentence=$1 want=$2 schema; shift 2
    "$@" >"$WORK/json" 2>"$WORK/stderr"
    schema=$(jq -es 'if length == 1 then .[0].schema else "\(length) documents" end' "$WORK/json" 2>&1)
    like "$sentence" "$schema" "\"$want\""
}
lines() { # sentence command...: NDJSON with the version first
    local sentence=$1; shift
    "$@" >"$WORK/json" 2>"$WORK/stderr"
    is "$sentence" "$(jq -es '[.[0].type, all(.[]; has("type"))] | join(" ")' "$WORK/json" 2>&1)" \
        '"version true"'
}
S=$WORK/small.yaml
begin up "" "$S" --set vars.seconds=30s
ok "a fleet is up" wait_until 30 has_said up phase_start true
follow up
export AWS_ENDPOINT_URL=$CLOUD_URL

pure "validate" 'dayfly.validate/*' "$DAYFLY" validate "$S" --json
printf 'dayfly: 1\nname: x\nrolse: 1\n' >"$WORK/bad.yaml"
pure "validate of a bad plan" 'dayfly.validate/*' "$DAYFLY" validate "$WORK/bad.yaml" --json
pure "plan" 'dayfly.plan/*' "$DAYFLY" plan "$S" --json
pure "list" 'dayfly.list/*' "$DAYFLY" list --json
pure "nodes" 'dayfly.nodes/*' "$DAYFLY" nodes "$RUN" --json
is "all five" "$(jq '.nodes | length' "$WORK/json")" 5
pure "status" 'dayfly.status/*' "$DAYFLY" status "$RUN" --json
pure "doctor" 'dayfly.doctor/*' "$DAYFLY" doctor --json
pure "version" 'dayfly.version/*' "$DAYFLY" version --json
ok "config" eval '"$DAYFLY" config "$S" --json | jq -es "length == 1"'
ok "the schema of plans" eval '"$DAYFLY" config --schema | jq -es "length == 1"'
lines "gc" "$DAYFLY" gc --dry-run --json
kill -INT "$(head_pid up)"
finish up
is "the fleet is given back" "$CODE" 130
pure "results list" 'dayfly.results*/*' "$DAYFLY" results list --json
pure "results show" 'dayfly.result/*' "$DAYFLY" results show "$RUN" --json
lines "down of what is gone" "$DAYFLY" down "$RUN" --yes --json
lines "rehearse" "$DAYFLY" rehearse "$S" --set vars.seconds=1s --cloud "$CLOUD_ENDPOINT" --json --out "$WORK/r"
"$DAYFLY" rehearse "$WORK/bad.yaml" --json >"$WORK/json" 2>"$WORK/stderr"
is "a bad plan leaves stdout empty or JSON" "$(jq -s 'length <= 1' "$WORK/json")" true
done_testing
