#!/bin/bash
# Planned trouble reaches the client as it would from a real network, and the truth keeps count.
. "$(dirname "$0")/lib.sh"
need jq; need curl
[ -n "$AWSCLI" ] || skip_all "awscli is not installed"

cloud_start --boot 0s --pending 0s --api 0s --terminate 0s --visible 0s --dud 100% --seed 5 \
    --fault op=CreateSecurityGroup,nth=1,mode=lost-reply \
    --fault op=DescribeVpcs,nth=1,mode=drop-before \
    --fault op=DescribeSubnets,nth=1,mode=truncate \
    --fault op=DescribeRegions,nth=1,mode=error=InternalError \
    --fault op=DescribeKeyPairs,nth=1,mode=delay=1500ms \
    --fault op=CreateKeyPair,nth=1,mode=delay-effect=700ms

like "a lost reply is a broken connection" \
    "$(aws ec2 create-security-group --group-name a --description a 2>&1)" '*onnection*'
is "what it asked for has been done" "$(truth '[.resources[]|select(.name=="a")]|length')" 1
like "a dropped call is a broken connection too" "$(aws ec2 describe-vpcs 2>&1)" '*onnection*'
is "and was not done" "$(truth '[.calls[]|select(.action=="DescribeVpcs")][0].fault')" drop-before
ok "the second time it works" aws ec2 describe-vpcs
ok "half an answer is no answer" bash -c "! '$AWSCLI' --endpoint-url $CLOUD_URL ec2 describe-subnets"
like "an error is that error" "$(aws ec2 describe-regions 2>&1)" '*InternalError*'
begin=$(date +%s%N)
aws ec2 describe-key-pairs >/dev/null
ok "a slow answer takes its time" test $((($(date +%s%N) - begin) / 1000000)) -ge 1500
like "a stuck request breaks the connection" "$(aws ec2 create-key-pair --key-name k 2>&1)" \
    '*onnection*'
ok "and is done all the same, later" wait_until 10 truth_is \
    '[.resources[]|select(.kind=="key-pair" and .name=="k" and .exists)]|length' 1
ok "a rule can be added while it runs" control "fault?rule=op=DescribeImages,mode=error=Unavailable"
like "and holds" "$(aws ec2 describe-images --owners amazon 2>&1)" '*Unavailable*'
like "without the token nobody learns the truth" \
    "$(curl -s -o /dev/null -w '%{http_code}' "$CLOUD_URL/_dayfly/truth")" 403
ok "a stop by HTTP ends the cloud" control stop
ended() { ! kill -0 "$CLOUD_PID"; }
ok "wholly" wait_until 10 ended
is "its folder is gone" "$(find "$CLOUD_DIR" -name endpoint.json | wc -l)" 0

# --- a cloud without parent and instances ends itself
D=$(mktemp -d "$WORK/idle-XXXX")
bash -c "'$DAYFLY' cloud --quiet --state-dir '$D' --exit-when-idle --idle 1s & sleep 0.5"
found() { [ -n "$(find "$D" -name endpoint.json)" ]; }
ok "a cloud outlives the shell that started it" wait_until 10 found
E=$(find "$D" -name endpoint.json)
PID=$(jq .pid "$E")
STORY_PIDS+=("$PID")
ended() { ! kill -0 "$PID"; }
ok "and ends itself when nobody needs it" wait_until 15 ended
done_testing
