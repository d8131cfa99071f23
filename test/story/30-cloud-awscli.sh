#!/bin/bash
# Debian's awscli, which we did not write, drives every call of the rehearsal cloud.
. "$(dirname "$0")/lib.sh"
need jq; need curl
[ -n "$AWSCLI" ] || skip_all "awscli is not installed"

cloud_start --boot 0s --pending 0s --api 0s --terminate 0s --visible 0s --seed 7

# --- what there is
is "the region is one of those described" \
    "$(aws ec2 describe-regions --region-names us-east-1 --query 'Regions[].RegionName')" us-east-1
is "three zones are available" "$(aws ec2 describe-availability-zones \
    --query "length(AvailabilityZones[?State=='available'])")" 3
VPC=$(aws ec2 describe-vpcs --filters Name=isDefault,Values=true --query 'Vpcs[0].VpcId')
like "there is a default VPC" "$VPC" 'vpc-*'
SUBNET=$(aws ec2 describe-subnets --filters "Name=vpc-id,Values=$VPC" \
    Name=availability-zone,Values=us-east-1b --query 'Subnets[].SubnetId')
like "it has one subnet in us-east-1b" "$SUBNET" 'subnet-?????????????????'
AMI=$(aws ssm get-parameter --query Parameter.Value \
    --name /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64)
like "SSM knows the Amazon Linux image" "$AMI" 'ami-*'
is "the image exists and is for x86_64" \
    "$(aws ec2 describe-images --image-ids "$AMI" --query 'Images[].Architecture')" x86_64
is "a type has its vCPUs and memory" "$(aws ec2 describe-instance-types --instance-types c7i.large \
    --query 'InstanceTypes[].[VCpuInfo.DefaultVCpus,MemoryInfo.SizeInMiB]' | tr '\t' ' ')" "2 4096"
is "it is offered in zones" "$(aws ec2 describe-instance-type-offerings --location-type \
    availability-zone --filters Name=instance-type,Values=c7i.large --max-items 1 \
    --query 'InstanceTypeOfferings[0].InstanceType' | sed -n 1p)" c7i.large
like "Spot prices are decimal strings below on-demand" "$(aws ec2 describe-spot-price-history \
    --instance-types c7i.large --product-descriptions Linux/UNIX --start-time \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --query 'SpotPriceHistory[0].SpotPrice')" '0.0[0-8]*'
is "who am I has an account" "$(aws sts get-caller-identity --query Account)" \
    "$(aws ec2 describe-vpcs --query 'Vpcs[0].OwnerId')"

# --- what a run makes
SG=$(aws ec2 create-security-group --group-name story --description "a story" --vpc-id "$VPC" \
    --query GroupId)
like "a security group is made" "$SG" 'sg-*'
ok "a rule is added to it" aws ec2 authorize-security-group-ingress --group-id "$SG" \
    --protocol tcp --port 8080 --cidr 10.0.0.0/8
is "and shown" "$(aws ec2 describe-security-groups --group-ids "$SG" \
    --query 'SecurityGroups[].IpPermissions[].[FromPort,IpRanges[0].CidrIp]' | tr '\t' ' ')" \
    "8080 10.0.0.0/8"
ok "and taken away" aws ec2 revoke-security-group-ingress --group-id "$SG" --protocol tcp \
    --port 8080 --cidr 10.0.0.0/8
aws ec2 create-key-pair --key-name story --key-type ed25519 --query KeyMaterial >"$WORK/key" &&
    chmod 600 "$WORK/key"
ok "the private key of a key pair is one that OpenSSH reads" \
    bash -c "! command -v ssh-keygen >/dev/null || ssh-keygen -y -f '$WORK/key'"
is "the key pair is described" \
    "$(aws ec2 describe-key-pairs --key-names story --query 'KeyPairs[].KeyType')" ed25519

printf '#!/bin/sh\necho hello from $(hostname)\nexec sleep 600\n' >"$WORK/user-data"
cat >"$WORK/template.json" <<JSON
{"ImageId": "$AMI", "InstanceType": "c7i.large", "KeyName": "story", "SecurityGroupIds": ["$SG"],
 "UserData": "$(base64 -w0 "$WORK/user-data")", "InstanceInitiatedShutdownBehavior": "terminate",
 "MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"}}
JSON
LT=$(aws ec2 create-launch-template --launch-template-name story \
    --launch-template-data "file://$WORK/template.json" --query LaunchTemplate.LaunchTemplateId)
like "a launch template is made" "$LT" 'lt-*'
is "its second version counts on" "$(aws ec2 create-launch-template-version \
    --launch-template-id "$LT" --source-version 1 --launch-template-data '{"InstanceType":"c6i.large"}' \
    --query LaunchTemplateVersion.VersionNumber)" 2
is "the version keeps what it does not change" "$(aws ec2 describe-launch-template-versions \
    --launch-template-id "$LT" --versions 2 \
    --query 'LaunchTemplateVersions[].LaunchTemplateData.[InstanceType,KeyName]' | tr '\t' ' ')" \
    "c6i.large story"
is "the template is described" "$(aws ec2 describe-launch-templates --launch-template-names story \
    --query 'LaunchTemplates[].LatestVersionNumber')" 2

fleet() { # token, capacity
    aws ec2 create-fleet --type instant --client-token "$1" --spot-options \
        AllocationStrategy=price-capacity-optimized --target-capacity-specification \
        "TotalTargetCapacity=$2,DefaultTargetCapacityType=spot" --launch-template-configs \
        "LaunchTemplateSpecification={LaunchTemplateId=$LT,Version=1},Overrides=[{InstanceType=c7i.large},{InstanceType=c6i.large}]" \
        --tag-specifications 'ResourceType=instance,Tags=[{Key=dayfly:run,Value=story}]' "${@:3}"
}
FLEET=$(fleet story-1 3 --query FleetId)
like "an instant fleet is made" "$FLEET" 'fleet-*'
is "the same token gives the same fleet" "$(fleet story-1 3 --query FleetId)" "$FLEET"
like "the same token with another size is a mismatch" "$(fleet story-1 4 2>&1)" \
    '*IdempotentParameterMismatch*'
is "the truth has three instances, not six" "$(truth .totals.instances)" 3
is "the fleet is described when its id is given" "$(aws ec2 describe-fleets --fleet-ids "$FLEET" \
    --query 'Fleets[].Type')" instant
is "and hidden otherwise" "$(aws ec2 describe-fleets --query 'length(Fleets)')" 0
RUN=$(aws ec2 run-instances --image-id "$AMI" --instance-type t3.micro --count 1 --subnet-id \
    "$SUBNET" --user-data "file://$WORK/user-data" --query 'Instances[0].InstanceId')
like "RunInstances starts one more" "$RUN" 'i-*'
like "a dry run says that it would work" "$(aws ec2 run-instances --dry-run --image-id "$AMI" \
    --instance-type t3.micro --count 1 2>&1)" '*DryRunOperation*'
is "a tag filter finds those of the fleet" "$(aws ec2 describe-instances --filters \
    Name=tag:dayfly:run,Values=story 'Name=instance-state-name,Values=pending,running' \
    --query 'length(Reservations[].Instances[])')" 3
ok "they all boot" wait_until 15 truth_is '[.instances[]|select(.booted_unix_ms)]|length' 4
is "their status is ok or starting" "$(aws ec2 describe-instance-status --instance-ids "$RUN" \
    --query 'InstanceStatuses[].InstanceState.Name')" running
said() { aws ec2 get-console-output --latest --instance-id "$RUN" | grep -q 'hello from'; }
ok "the console shows what user-data printed" wait_until 10 said
ok "a tag is added" aws ec2 create-tags --resources "$RUN" --tags Key=note,Value=x
is "and described" "$(aws ec2 describe-tags --filters "Name=resource-id,Values=$RUN" \
    Name=key,Values=note --query 'Tags[].Value')" x
ok "and removed" aws ec2 delete-tags --resources "$RUN" --tags Key=note
is "pages add up" "$(aws ec2 describe-instances --page-size 5 \
    --query 'length(Reservations[].Instances[])' | awk '{n += $1} END {print n}')" 4

# --- what goes wrong
like "a wrong secret is refused" "$(AWS_SECRET_ACCESS_KEY=wrong aws ec2 describe-vpcs 2>&1)" \
    '*AuthFailure*'
like "an unknown key is refused" "$(AWS_ACCESS_KEY_ID=AKIAXXXXXXXXXXXXXXXX aws sts \
    get-caller-identity 2>&1)" '*InvalidClientTokenId*'
like "one bad id ends nothing" "$(aws ec2 terminate-instances --instance-ids "$RUN" \
    i-00000000000000000 2>&1)" '*InvalidInstanceID.NotFound*'
is "the good one still runs" "$(truth ".instances[]|select(.id==\"$RUN\").state")" running
like "a group in use cannot go" "$(aws ec2 delete-security-group --group-id "$SG" 2>&1)" \
    '*DependencyViolation*'
like "user-data beyond 16 KB is refused" "$(head -c 17000 /dev/zero | tr '\0' x >"$WORK/big"
    aws ec2 run-instances --image-id "$AMI" --instance-type t3.micro --count 1 \
    --user-data "file://$WORK/big" 2>&1)" '*InvalidParameterValue*'

# --- the end
IDS=$(aws ec2 describe-instances --query 'Reservations[].Instances[].InstanceId')
# shellcheck disable=SC2086
is "all are told to end" "$(aws ec2 terminate-instances --instance-ids $IDS \
    --query "length(TerminatingInstances[?CurrentState.Name=='shutting-down'])")" 4
ok "and end" wait_until 15 truth_is .totals.terminated 4
is "the fleet is deleted" "$(aws ec2 delete-fleets --fleet-ids "$FLEET" --terminate-instances \
    --query 'length(SuccessfulFleetDeletions)')" 1
ok "the template is deleted" aws ec2 delete-launch-template --launch-template-id "$LT"
ok "the group can go now" wait_until 10 aws ec2 delete-security-group --group-id "$SG"
ok "the key pair is deleted" aws ec2 delete-key-pair --key-name story
is "nothing is left" "$(truth .totals.left)" 0
is "no process is left" "$(pgrep -P "$CLOUD_PID" | wc -l)" 0
done_testing
