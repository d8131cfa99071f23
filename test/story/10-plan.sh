#!/bin/bash
# A user and a plan file: three mistakes give three good errors, in no time and without a network.
. "$(dirname "$0")/lib.sh"

cd "$STORY_ROOT" || bail "no root"
for example in examples/*.yaml; do
    ok "$example is valid" "$DAYFLY" validate "$example"
done

cat > "$WORK/three.yaml" <<'PLAN'
dayfly: 1
name: shop
fleet: {ttl: 90}
roles:
  load: {count: 2, instnces: c7g.large}
phases:
  - {name: ramp, nodes: lod, run: x}
PLAN
cd "$WORK" || bail "no folder"
said=$("$DAYFLY" validate three.yaml 2>&1 >out); code=$?
is "a wrong plan ends with exit 3" "$code" 3
is "nothing of it goes to stdout" "$(cat out)" ""
like "the key is named with its place and what was meant" "$said" \
    '*three.yaml:5:20: unknown key "instnces", did you mean "instances"\?*'
like "the duration gets a proposal" "$said" "*three.yaml:3:14: *did you mean '90s'\\?*"
like "the role is named" "$said" '*three.yaml:7:25: no role "lod", did you mean "load"\?*'
like "the last line counts them" "$said" '*3 errors in three.yaml; nothing was started'
is "--json has the same three, and nothing else" \
    "$("$DAYFLY" validate --json three.yaml 2>&1 | python3 -c 'import json, sys
print(len(json.load(sys.stdin)["errors"]))')" 3
ok "--set repairs what it can" "$DAYFLY" validate "$STORY_ROOT/examples/http.yaml" \
    --set roles.load.count=50 --set phases.ramp.timeout=5m
"$DAYFLY" validate "$STORY_ROOT/examples/http.yaml" --set roles.laod.count=50 2>said
is "a --set that names nothing is exit 3" $? 3
like "and says what there is" "$(cat said)" '*no role "laod"*'

head -c 10485760 /dev/zero | tr '\0' a > big.yaml
for refused in big.yaml /bin/sh /dev/zero "$STORY_ROOT/test/vectors/plan/bomb-aliases.yaml"; do
    timeout 1 "$DAYFLY" validate "$refused" >/dev/null 2>&1
    code=$?
    is "${refused##*/} is refused within a second" "$code" 3
done
"$DAYFLY" validate nowhere.yaml >/dev/null 2>&1
is "a file that is not there is wrong usage" $? 2

"$DAYFLY" config "$STORY_ROOT/examples/http.yaml" > resolved.yaml
"$DAYFLY" config resolved.yaml > again.yaml
ok "the resolved file resolves to itself" cmp resolved.yaml again.yaml
ok "the schema is JSON" sh -c "'$DAYFLY' config --schema | python3 -m json.tool"
ok "every key is explained" sh -c "'$DAYFLY' explain --all | grep -q 'roles.NAME: a group'"
like "one key is explained with its default" "$("$DAYFLY" explain roles.min)" '*default   100%*'
"$DAYFLY" explain role.min 2>said
is "an unknown key is wrong usage" $? 2
like "with what was meant" "$(cat said)" '*did you mean "roles.min"*'
done_testing
