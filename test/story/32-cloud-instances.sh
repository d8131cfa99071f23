#!/bin/bash
# What instances are: they boot by the hundred, know themselves, power off, and never outlive
# their cloud, in both isolations.
. "$(dirname "$0")/lib.sh"
need jq; need curl
[ -n "$AWSCLI" ] || skip_all "awscli is not installed"
COUNT=${STORY_INSTANCES:-300}

launch() { # type count [more words of run-instances]
    aws ec2 run-instances --image-id "$AMI" --instance-type "$1" --count "$2" \
        --user-data "file://$WORK/user-data" --instance-initiated-shutdown-behavior terminate \
        --query 'Instances[].InstanceId' "${@:3}"
}
find_image() {
    AMI=$(aws ssm get-parameter --query Parameter.Value \
        --name /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64)
}
console_of() { aws ec2 get-console-output --latest --instance-id "$1"; }
console_says() { console_of "$1" | grep -q -- "$2"; }
said() { console_of "$1" | sed -n "s/^$2=//p"; }
childless() { ! pgrep -P "$CLOUD_PID"; }
none_of() { ! pgrep -f "$1"; }

one_isolation() {
    local how=$1 ids one two pid
    cloud_start --isolate "$how" --boot 0s --pending 0s --api 0s --terminate 200ms --visible 0s \
        --minute 500ms --seed 3
    find_image

    # --- it knows itself
    cat >"$WORK/user-data" <<'SCRIPT'
#!/bin/sh
M=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254/}latest
T=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $M/api/token)
md() { curl -s -H "X-aws-ec2-metadata-token: $T" $M/$1; }
echo "ID=$(md meta-data/instance-id)"
echo "IP=$(md meta-data/local-ipv4)"
echo "TAG=$(md meta-data/tags/instance/dayfly:run)"
echo "SAME=$(md user-data | cmp - "$0" && echo yes)"
echo "BARE=$(curl -s -o /dev/null -w '%{http_code}' $M/meta-data/)"
echo "PROXY=$(curl -s -o /dev/null -w '%{http_code}' -X PUT -H 'X-Forwarded-For: 1.2.3.4' -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $M/api/token)"
echo "NOTICE=$(curl -s -o /dev/null -w '%{http_code}' -H "X-aws-ec2-metadata-token: $T" $M/meta-data/spot/instance-action)"
echo "TOKEN=$T"
echo "END=of facts"
while ! md meta-data/spot/instance-action | grep -q terminate; do sleep 0.2; done
echo "NOTICED=yes"
sleep 600
SCRIPT
    one=$(launch c7i.large 1 --metadata-options HttpTokens=required,InstanceMetadataTags=enabled \
        --instance-market-options MarketType=spot \
        --tag-specifications 'ResourceType=instance,Tags=[{Key=dayfly:run,Value=r1}]')
    ok "$how: user-data runs to the end of its questions" \
        wait_until 20 console_says "$one" 'END=of facts'
    console_of "$one" >"$WORK/console"
    fact() { sed -n "s/^$1=//p" "$WORK/console"; }
    is "$how: metadata names the instance" "$(fact ID)" "$one"
    is "$how: its address is the one that EC2 tells" "$(fact IP)" "$(aws ec2 describe-instances \
        --instance-ids "$one" --query 'Reservations[].Instances[].PrivateIpAddress')"
    is "$how: its tags are there" "$(fact TAG)" r1
    is "$how: user-data comes back as it was given" "$(fact SAME)" yes
    is "$how: no token, no answer" "$(fact BARE)" 401
    is "$how: no token through a proxy" "$(fact PROXY)" 403
    is "$how: no notice, no such item" "$(fact NOTICE)" 404
    ok "$how: EC2 gives notice" control "interrupt?id=$one&notice=3s"
    ok "$how: the instance sees the notice" wait_until 10 console_says "$one" 'NOTICED=yes'
    ok "$how: and is taken back" wait_until 10 truth_is '.instances[0].state' terminated
    is "$how: by EC2, not by us" "$(truth '.instances[0].reason')" Server.SpotInstanceTermination

    # --- it ends itself: the cap of user-data
    printf '#!/bin/sh\nshutdown -P +2\nexec sleep 600\n' >"$WORK/user-data"
    two=$(launch t3.micro 1)
    ok "$how: the cap ends it without anybody's help" wait_until 15 truth_is \
        ".instances[]|select(.id==\"$two\").state" terminated
    is "$how: as its own wish" "$(truth ".instances[]|select(.id==\"$two\").reason")" \
        Client.InstanceInitiatedShutdown

    # --- crash and freeze
    printf '#!/bin/sh\nsetsid sleep 666%s &\necho up\nexec sleep 600\n' "$CLOUD_PID" \
        >"$WORK/user-data"
    two=$(launch t3.micro 1)
    ok "$how: one more is up" wait_until 15 console_says "$two" '^up'
    ok "$how: it can be crashed" control "crash?id=$two"
    ok "$how: nothing of it runs then" wait_until 10 none_of "sleep 666$CLOUD_PID"
    is "$how: but EC2 says that it runs" "$(truth ".instances[]|select(.id==\"$two\").state")" \
        running
    ok "$how: it can be ended all the same" aws ec2 terminate-instances --instance-ids "$two"
    ok "$how: and no process is left" wait_until 15 childless

    # --- many
    printf '#!/bin/sh\nexec sleep 600\n' >"$WORK/user-data"
    ids=$(launch t3.micro "$COUNT")
    booted() { truth_is '[.instances[]|select(.booted_unix_ms and .state=="running")]|length' "$1"; }
    ok "$how: $COUNT instances boot" wait_until 30 booted "$COUNT"
    echo "# $how: $COUNT booted $(truth '[.instances[]|select(.state=="running")] |
        ((map(.booted_unix_ms)|max) - (map(.asked_unix_ms)|min)) / 1000') s after the call"
    pid=$(truth '[.instances[]|select(.state=="running")][0].pid')
    ok "$how: their processes are there" kill -0 "$pid"
    kill -9 "$CLOUD_PID"
    wait "$CLOUD_PID" 2>/dev/null
    gone() { ! pgrep -f "$CLOUD_DIR" && ! kill -0 "$pid"; }
    ok "$how: a killed cloud takes all of them along" wait_until 20 gone
}

one_isolation process
if [ "$(id -u)" = 0 ] && unshare -n -m true 2>/dev/null; then
    one_isolation namespace
    cloud_start --isolate namespace
    is "the next cloud has removed the killed one's bridge" \
        "$(find /sys/class/net -name 'dayfly*' | wc -l)" 1
    cloud_stop
    is "and takes its own along" "$(find /sys/class/net -name 'dayfly*' | wc -l)" 0
    is "no link is left" "$(find /sys/class/net -name 'df[0-9]-*' | wc -l)" 0
else
    echo "# namespaces need root: not tested"
fi
done_testing
