#!/bin/bash
# What a plan can ask for, each in a run of its own: spares, a quorum, needs instead of types, one
# zone, a price, a budget, env and templates, files to bring home, phases that may fail, and a fleet
# that is kept.
. "$(dirname "$0")/faults.sh"

HEAD='dayfly: 1
fleet: {region: us-east-1, ttl: 10m}'
cat >"$WORK/spare.yaml" <<YAML
$HEAD
name: spare
vars: {word: moth, shards: 3}
roles:
  w: {count: 3, spare: 1, env: {WORD: "\${{ vars.word }}"}}
phases:
  - name: shards
    nodes: w
    run: |
      echo "\$WORD \$DAYFLY_SHARD/\$DAYFLY_SHARDS \${{ node.index }} of \${{ vars.shards }}" \\
        "\${{ env.STORY_WORD }} \${{ roles.w[1].private_ip }} \${{ run.id }}" > out.txt
      [ "\$DAYFLY_INDEX" != 1 ] || touch only-here
    collect: [out.txt, only-here, missing-*]
  - {name: pause, wait: 700ms}
thresholds:
  - failed_nodes == 0
YAML
cat >"$WORK/quorum.yaml" <<YAML
$HEAD
name: quorum
roles: {w: {count: 4, min: 50%, instances: [z9q.large, c7g.large]}}
phases:
  - {name: go, nodes: w, run: "echo \$DAYFLY_SHARD/\$DAYFLY_SHARDS > s.txt", collect: [s.txt]}
YAML
sed -i 's/ttl: 10m/ttl: 10m, launch_timeout: 4s/' "$WORK/quorum.yaml"
cat >"$WORK/needs.yaml" <<YAML
dayfly: 1
name: needs
fleet: {region: us-east-1, ttl: 10m, zones: one, max_price: 60%}
roles: {w: {count: 5, instances: {vcpus: 2-4, memory: 4GiB+}}}
phases: [{name: go, nodes: w, run: "true"}]
YAML
cat >"$WORK/phases.yaml" <<YAML
$HEAD
name: phases
teardown: on-pass
roles: {w: {count: 2}}
phases:
  - {name: bad, nodes: w, run: "echo no such shard; exit 3", on_fail: continue}
  - {name: good, nodes: w, run: "echo fine > f.txt", collect: [f.txt]}
  - {name: slow, nodes: w, run: "sleep 30", duration: 500ms}
YAML
cat >"$WORK/stop.yaml" <<YAML
$HEAD
name: stop
roles: {w: {count: 2}}
phases:
  - {name: bad, nodes: w, run: "exit 3"}
  - {name: never, nodes: w, run: "true"}
YAML
cat >"$WORK/service.yaml" <<YAML
$HEAD
name: service
roles: {w: {count: 1, service: "echo cannot bind >&2; exit 4", ready: {tcp: 8080, every: 100ms}}}
phases: [{name: go, nodes: w, run: "true"}]
YAML

export STORY_WORD=by-me
begin spare "" "$WORK/spare.yaml" --set vars.word=mayfly
begin quorum "--capacity c7g.large=2" "$WORK/quorum.yaml"
begin needs "" "$WORK/needs.yaml"
begin phases "" "$WORK/phases.yaml"
begin budget "" "$WORK/needs.yaml" --set 'fleet.budget=$0.0001'
begin price "" "$WORK/quorum.yaml" --set 'fleet.max_price=$0.002'
begin stop "" "$WORK/stop.yaml"
begin service "" "$WORK/service.yaml"
begin commands "" "$STORY_ROOT/examples/run.yaml"

finish spare
NODES=$(dirname "$RESULT")/nodes
IP=$(jq -r '.nodes[]|select(.slot=="w:1")|.private_ip' "$RESULT")
is "spares: the run passes" "$CODE" 0
is "one more was launched than is wanted" "$(jq -c '[.nodes_wanted,.clean.launched]' "$RESULT")" "[3,4]"
is "and given back before the work" "$(jq '[.nodes[]|select(.fate=="spare" or .slot==null)]|length' \
    "$RESULT")" "$(jq .spares "$RESULT")"
is "vars, --set, env, shards and templates reach each node" "$(cat "$NODES"/w-[012]/files/shards/out.txt)" \
    "mayfly 0/3 0 of 3 by-me $IP $RUN
mayfly 1/3 1 of 3 by-me $IP $RUN
mayfly 2/3 2 of 3 by-me $IP $RUN"
is "a file that only one node has comes from there" "$(find "$NODES" -name only-here)" \
    "$NODES/w-1/files/shards/only-here"
ok "waiting takes its time" test "$(jq '.phases[]|select(.name=="pause")|.duration_ms >= 700 and
    .duration_ms < 1500' "$RESULT")" = true
nothing_left "spares: nothing is left"

finish quorum
is "half of the fleet is enough where the plan says so" "$CODE" 0
is "two of four were there, densely numbered" "$(cat "$(dirname "$RESULT")"/nodes/*/files/go/s.txt)" \
    "0/2
1/2"
ok "and why is told" said capacity true
is "a type that the region does not offer is left out, and that is told once" \
    "$(jq -c 'select(.type == "note" and (.text | test("z9q"))) | .text' "$EVENTS")" \
    '"z9q.large is not offered in us-east-1: left out"'
nothing_left "quorum: nothing is left"

finish needs
is "needs instead of types: the run passes" "$CODE" 0
is "all nodes are in one zone" "$(jq '[.nodes[].zone]|unique|length' "$RESULT")" 1
AWS_ACCESS_KEY_ID=$(jq -r .access_key_id "$CLOUD_ENDPOINT")
AWS_SECRET_ACCESS_KEY=$(jq -r .secret_access_key "$CLOUD_ENDPOINT")
is "each type has what is needed" "$(for t in $(jq -r '.nodes[].type' "$RESULT" | sort -u); do
    aws ec2 describe-instance-types --instance-types "$t" --query \
        'InstanceTypes[?VCpuInfo.DefaultVCpus<`2` || VCpuInfo.DefaultVCpus>`4` || MemoryInfo.SizeInMiB<`4096`].InstanceType' 2>&1
done)" ""
ok "nobody pays more than the price" test "$(jq '[.costs[]|
    .price_usd_per_hour <= 0.6 * .on_demand_usd_per_hour + 0.0001]|all' "$RESULT")" = true
nothing_left "needs: nothing is left"

finish budget
is "above the budget nothing starts" "$CODE" 2
like "and the money is named" "$(cat "$ERR")" '*fleet.budget*'
is "no instance was launched" "$(truth .totals.instances)" 0

finish price
is "below the market's price there is no fleet" "$CODE" 5
nothing_left "price: nothing is left"

finish stop
is "a command that fails stops the run" "$CODE" 7
is "what comes later does not start" "$(jq -r '.phases[1].started_at' "$RESULT")" null
nothing_left "stop: nothing is left"

finish service
is "a service that ends is a failed workload" "$CODE" 7
is "how it ended stays with the node" "$(jq -r '.nodes[0].note' "$RESULT")" \
    "not ready: service exit 4: cannot bind"
nothing_left "service: nothing is left"

finish commands
is "examples/run.yaml passes" "$CODE" 0
is "each worker has its sum" "$(cat "$(dirname "$RESULT")"/nodes/worker-*/files/compute/sum.txt | wc -l)" 4
nothing_left "commands: nothing is left"

finish phases
is "a failed phase that may fail is still told" "$CODE" 7
like "with what the command said" "$(jq -r .why "$RESULT")" '*exit 3: no such shard*'
is "the next one ran" "$(cat "$(dirname "$RESULT")"/nodes/w-*/files/good/f.txt | wc -l)" 2
ok "a command is ended after its duration" test "$(jq '.phases[2]|.duration_ms < 5000 and
    .state == "ok"' "$RESULT")" = true
is "on-pass keeps a failed fleet" "$(truth .totals.running)" 2
is "and the result says how many" "$(jq .clean.kept "$RESULT")" 2
ok "dayfly down ends it from another shell" "$DAYFLY" down "$RUN" --yes --endpoint-url "$CLOUD_URL"
nothing_left "phases: nothing is left"
done_testing
