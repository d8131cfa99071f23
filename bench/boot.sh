#!/bin/bash
# How fast the rehearsal cloud boots instances: COUNT (300) in each isolation, trivial user-data,
# no planned delay. Seconds from the launch call to the last boot by the cloud's own truth, and the
# cloud's memory. One line of JSON for each isolation; exits 1 beyond 10 s.
. "$(dirname "$0")/../test/story/lib.sh"
COUNT=${1:-300}
code=0
for how in process namespace; do
    [ "$how" = process ] || [ "$(id -u)" = 0 ] || continue
    cloud_start --isolate "$how" --boot 0s --pending 0s --api 0s --terminate 0s --visible 0s
    image=$(aws ssm get-parameter --query Parameter.Value \
        --name /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64)
    printf '#!/bin/sh\nshutdown -P +30\nexec sleep 600\n' >"$WORK/user-data"
    aws ec2 run-instances --image-id "$image" --instance-type t3.micro --count "$COUNT" \
        --user-data "file://$WORK/user-data" --query 'length(Instances)' >/dev/null
    wait_until 60 truth_is '[.instances[]|select(.booted_unix_ms)]|length' "$COUNT" || code=1
    seconds=$(truth '((.instances|map(.booted_unix_ms // 1e15)|max) - (.instances|map(.asked_unix_ms)|min)) / 1000')
    echo "{\"bench\":\"boot\",\"isolate\":\"$how\",\"instances\":$COUNT,\"seconds\":$seconds," \
        "\"cloud_rss_kib\":$(awk '/VmRSS/ {print $2}' "/proc/$CLOUD_PID/status")}"
    awk "BEGIN {exit !($seconds > 10)}" && code=1
    cloud_stop
done
exit $code
