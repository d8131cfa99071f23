#!/usr/bin/env bash
# What is not ours stays: near misses of our tags are planted beside a run that has expired.
. "$(dirname "$0")/lib.sh"
need jq
[ -n "$AWSCLI" ] || skip_all "awscli is not installed"
mkdir -p "$XDG_STATE_HOME/dayfly/clouds"
cloud_start --boot 0s
# A rehearsal cloud of this machine, as gc finds them.
ln -s "$(dirname "$CLOUD_ENDPOINT")" "$XDG_STATE_HOME/dayfly/clouds/planted"

# Only the rehearsal cloud is asked: the keys in the environment are not of AWS.
gc() { env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "$DAYFLY" gc "$@"; }

PAST=2020-01-01T00:00:00Z
me=$(id -un)@$(hostname)
plant() { # run owner intent [deadline]: one instance, its id
    local tags="{Key=dayfly:run,Value='$1'},{Key=dayfly:name,Value=planted}"
    [ -z "$2" ] || tags="$tags,{Key=dayfly:owner,Value='$2'}"
    [ -z "$3" ] || tags="$tags,{Key=dayfly:intent,Value='$3'}"
    tags="$tags,{Key=dayfly:deadline,Value=${4:-$PAST}}"
    aws ec2 run-instances --image-id "$IMAGE" --instance-type c7i.large --count 1 \
        --tag-specifications "ResourceType=instance,Tags=[$tags]" \
        --query 'Instances[0].InstanceId'
}
IMAGE=$(aws ec2 describe-images --query 'Images[?Architecture==`x86_64`].ImageId | [0]')
[ -n "$IMAGE" ] || bail "no image"

ours=$(plant abcd "$me" abcd-1)
ours_too=$(plant abcd "$me" abcd-2)
declare -A foreign=(
    ["the same run id of another owner in use"]=$(plant abcd someone@elsewhere abcd-1 2099-01-01T00:00:00Z)
    ["a run id that ours begins"]=$(plant abcde "$me" abcde-1)
    ["a run id that begins ours"]=$(plant abc "$me" abc-1)
    ["a run id in capitals"]=$(plant ABCD "$me" ABCD-1)
    ["a wildcard for every run"]=$(plant '*' "$me" '*-1')
    ["a wildcard for one letter"]=$(plant 'abc?' "$me" 'abc?-1')
    ["our run's tags without a launch record"]=$(plant abcd "$me" "")
    ["our run's tags with another run's token"]=$(plant abcd "$me" abce-1)
    ["our run's tags without an owner"]=$(plant abcd "" abcd-3)
    ["no tag but the run's"]=$(plant wxyz "" "")
    ["another fleet in use"]=$(plant wxyz someone@elsewhere wxyz-1 2099-01-01T00:00:00Z)
)
state_of() { aws ec2 describe-instances --instance-ids "$1" --query 'Reservations[0].Instances[0].State.Name'; }

gc --dry-run >"$WORK/dry" 2>&1
is "a dry run of gc exits with 0" $? 0
is "gc offers to end one fleet only" "$(grep -c 'past its deadline' "$WORK/dry")" 1
for id in '*' 'abc?' '????' ../x; do
    gc --run "$id" --yes >"$WORK/out" 2>&1
    is "gc --run $id ends nothing" "$(state_of "$ours")" running
done
gc --yes >"$WORK/gc" 2>&1
is "gc proves the end of what is ours" $? 0 || sed "s/^/# /" "$WORK/gc"
for id in "$ours" "$ours_too"; do is "an instance of ours is ended" "$(state_of "$id")" terminated; done
for what in "${!foreign[@]}"; do
    is "left alone: $what" "$(state_of "${foreign[$what]}")" running
done
ok "gc says that it has left something alone" grep -q "left alone" "$WORK/gc"
ok "gc says what its proof waits for" grep -q "may still take effect" "$WORK/gc"
done_testing
