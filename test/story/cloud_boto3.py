"""Drive every call of the rehearsal cloud through boto3 and judge answers and errors; TAP."""
import datetime
import os
import sys
import time

import boto3
import botocore
import botocore.auth
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["CLOUD_URL"]
ONCE = Config(retries={"max_attempts": 0, "mode": "standard"}, parameter_validation=False)
WRONG = {"aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "x" * 40}
count = 0
failed = 0


def client(service, **more):
    return boto3.client(service, endpoint_url=URL, config=ONCE, **more)


def ok(sentence, passed, note=""):
    global count, failed
    count += 1
    if passed:
        print(f"ok {count} - {sentence}")
    else:
        failed += 1
        print(f"not ok {count} - {sentence}\n#   {note!r}")


def equal(sentence, got, want):
    ok(sentence, got == want, f"got {got!r}, want {want!r}")


def refused(sentence, code, call, *args, **kwargs):
    try:
        reply = call(*args, **kwargs)
    except ClientError as error:
        equal(sentence, error.response["Error"]["Code"], code)
        return error.response["ResponseMetadata"]["HTTPStatusCode"]
    ok(sentence, False, reply)
    return 0


def wait_until(seconds, condition):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


ec2, sts, ssm = client("ec2"), client("sts"), client("ssm")

# --- what there is
regions = [r["RegionName"] for r in ec2.describe_regions()["Regions"]]
ok("us-east-1 is a region", "us-east-1" in regions, regions)
zones = ec2.describe_availability_zones()["AvailabilityZones"]
equal("zones have ids of their own", len({z["ZoneId"] for z in zones}), 3)
vpc = ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
equal("each zone has a subnet", sorted(s["AvailabilityZone"] for s in subnets),
      sorted(z["ZoneName"] for z in zones))
names = ["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "/no/such"]
parameters = ssm.get_parameters(Names=names)
equal("SSM names what it does not know", parameters["InvalidParameters"], ["/no/such"])
image = parameters["Parameters"][0]["Value"]
refused("an unknown parameter is ParameterNotFound", "ParameterNotFound", ssm.get_parameter,
        Name="/no/such")
equal("the image is described", ec2.describe_images(ImageIds=[image])["Images"][0]["State"],
      "available")
types = [t["InstanceType"]
         for page in ec2.get_paginator("describe_instance_types").paginate(
             PaginationConfig={"PageSize": 7}) for t in page["InstanceTypes"]]
ok("instance types come in pages without doubles", len(types) == len(set(types)) > 20, types)
offers = [o for page in ec2.get_paginator("describe_instance_type_offerings").paginate(
    LocationType="availability-zone", PaginationConfig={"PageSize": 50},
    Filters=[{"Name": "instance-type", "Values": ["c7*"]}])
    for o in page["InstanceTypeOfferings"]]
ok("a wildcard filter holds for all of them",
   offers and all(o["InstanceType"].startswith("c7") for o in offers), offers[:3])
prices = ec2.describe_spot_price_history(
    InstanceTypes=["c7i.large"], ProductDescriptions=["Linux/UNIX"],
    StartTime=datetime.datetime.utcnow() - datetime.timedelta(days=2))["SpotPriceHistory"]
stamps = [p["Timestamp"] for p in prices]
ok("prices come newest first", stamps == sorted(stamps, reverse=True) and prices, stamps[:3])
equal("the caller has an account of twelve digits", len(sts.get_caller_identity()["Account"]), 12)

# --- what a run makes
group = ec2.create_security_group(GroupName="boto", Description="a story", VpcId=vpc)["GroupId"]
refused("its name is taken then", "InvalidGroup.Duplicate", ec2.create_security_group,
        GroupName="boto", Description="again", VpcId=vpc)
rule = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81,
         "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
         "UserIdGroupPairs": [{"GroupId": group}]}]
ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
refused("a rule cannot be added twice", "InvalidPermission.Duplicate",
        ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=rule)
shown = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
equal("a rule is shown with both its sources",
      [len(shown[0]["IpRanges"]), len(shown[0]["UserIdGroupPairs"])], [1, 1])
ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
key = ec2.create_key_pair(KeyName="boto")
ok("an RSA key is PKCS#1 PEM", key["KeyMaterial"].startswith("-----BEGIN RSA PRIVATE KEY-----"))
public = ec2.describe_key_pairs(KeyNames=["boto"], IncludePublicKey=True)["KeyPairs"][0]
ok("its public half is an OpenSSH line", public.get("PublicKey", "").startswith("ssh-rsa "),
   public)
ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=public["PublicKey"].encode())
refused("a key name is taken once", "InvalidKeyPair.Duplicate", ec2.create_key_pair,
        KeyName="boto")

script = "#!/bin/sh\nexec sleep 600\n"
data = {"ImageId": image, "InstanceType": "c7i.large", "SecurityGroupIds": [group],
        "InstanceInitiatedShutdownBehavior": "terminate"}
template = ec2.create_launch_template(LaunchTemplateName="boto", LaunchTemplateData=data,
                                      ClientToken="t-1")["LaunchTemplate"]["LaunchTemplateId"]
ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1",
                                   LaunchTemplateData={"InstanceType": "m7i.large"})
versions = ec2.describe_launch_template_versions(LaunchTemplateId=template,
                                                 Versions=["$Latest", "$Default"])
equal("$Latest and $Default are versions 2 and 1",
      sorted(v["VersionNumber"] for v in versions["LaunchTemplateVersions"]), [1, 2])
equal("templates are found by name", len(ec2.describe_launch_templates(
    LaunchTemplateNames=["boto"])["LaunchTemplates"]), 1)
refused("an unknown template is named as such", "InvalidLaunchTemplateName.NotFoundException",
        ec2.describe_launch_templates, LaunchTemplateNames=["nobody"])


def fleet(token, capacity, **more):
    request = dict(
        Type="instant", ClientToken=token,
        LaunchTemplateConfigs=[{
            "LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "1"},
            "Overrides": [{"InstanceType": t, "SubnetId": s["SubnetId"]}
                          for t in ("c7i.large", "c6i.large") for s in subnets]}],
        SpotOptions={"AllocationStrategy": "lowest-price"},
        TargetCapacitySpecification={"TotalTargetCapacity": capacity,
                                     "DefaultTargetCapacityType": "spot"},
        TagSpecifications=[{"ResourceType": "instance",
                            "Tags": [{"Key": "dayfly:run", "Value": "boto"}]}])
    request.update(more)
    return ec2.create_fleet(**request)


first = fleet("boto-1", 4)
ids = [i for item in first.get("Instances", []) for i in item["InstanceIds"]]
equal("a fleet of four has four", len(ids), 4)
again = fleet("boto-1", 4)
equal("its token gives the very same", [i for item in again["Instances"]
                                        for i in item["InstanceIds"]], ids)
refused("another request with this token does not", "IdempotentParameterMismatch", fleet,
        "boto-1", 5)
equal("a fleet is shown by its id", ec2.describe_fleets(FleetIds=[first["FleetId"]])[
    "Fleets"][0]["FleetId"], first["FleetId"])
short = fleet("boto-2", 5, SpotOptions={"AllocationStrategy": "lowest-price",
                                        "SingleInstanceType": False},
              LaunchTemplateConfigs=[{
                  "LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "1"},
                  "Overrides": [{"InstanceType": "m6i.large",
                                 "SubnetId": subnets[0]["SubnetId"]}]}])
got = sum(len(item["InstanceIds"]) for item in short.get("Instances", []))
equal("a pool that holds two gives two and says why", [got, len(short.get("Errors", [])) > 0],
      [2, True])
refused("a fleet needs its template's version", "MissingParameter", fleet, "boto-3", 1,
        LaunchTemplateConfigs=[{"LaunchTemplateSpecification": {"LaunchTemplateId": template}}])
run = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=2,
                        UserData=script, ClientToken="run-1", SubnetId=subnets[0]["SubnetId"],
                        InstanceInitiatedShutdownBehavior="terminate",
                        TagSpecifications=[{"ResourceType": "instance", "Tags": [
                            {"Key": "dayfly:run", "Value": "boto"}]}])
more = [i["InstanceId"] for i in run["Instances"]]
equal("RunInstances starts as many as it can", len(more), 2)
everyone = sorted(ids + more + [i for item in short["Instances"] for i in item["InstanceIds"]])


def listed(**kwargs):
    pages = ec2.get_paginator("describe_instances").paginate(**kwargs)
    return [i for page in pages for r in page["Reservations"] for i in r["Instances"]]


mine = [{"Name": "tag:dayfly:run", "Values": ["boto"]}]
ok("all are found by tag, in pages",
   wait_until(5, lambda: sorted(i["InstanceId"] for i in listed(
       Filters=mine, PaginationConfig={"PageSize": 5})) == everyone))
equal("EC2 itself tags what a fleet started", len(listed(Filters=[
    {"Name": "tag:aws:ec2:fleet-id", "Values": [first["FleetId"]]}])), 4)
equal("the client token is a filter", sorted(i["InstanceId"] for i in listed(
    Filters=[{"Name": "client-token", "Values": ["run-1"]}])), sorted(more))
equal("a filter that nothing matches gives nothing", listed(
    Filters=[{"Name": "tag:dayfly:run", "Values": ["other"]}]), [])
refused("an unknown filter is an error", "InvalidParameterValue", ec2.describe_instances,
        Filters=[{"Name": "colour", "Values": ["red"]}])
ok("all run", wait_until(10, lambda: all(i["State"]["Name"] == "running"
                                         for i in listed(Filters=mine))))
status = ec2.describe_instance_status(InstanceIds=more)["InstanceStatuses"]
equal("status is told for what runs", len(status), 2)
addresses = {i["PrivateIpAddress"] for i in listed(Filters=mine)}
equal("each has an address of its own", len(addresses), len(everyone))
ok("the console is base64 of text", wait_until(10, lambda: "cloud-init" in ec2.get_console_output(
    InstanceId=more[0]).get("Output", "")))
ec2.create_tags(Resources=more, Tags=[{"Key": "k", "Value": "v"}])
ok("tags are listed by resource", wait_until(5, lambda: sorted(
    t["ResourceId"] for t in ec2.describe_tags(
        Filters=[{"Name": "key", "Values": ["k"]}])["Tags"]) == sorted(more)))
ec2.delete_tags(Resources=more, Tags=[{"Key": "k"}])
refused("aws: tags are EC2's own", "InvalidParameterValue", ec2.create_tags, Resources=more,
        Tags=[{"Key": "aws:mine", "Value": "v"}])
equal("a dry run is answered with 412", refused(
    "a dry run says so", "DryRunOperation", ec2.terminate_instances, InstanceIds=more,
    DryRun=True), 412)
ok("volumes can be listed", "Volumes" in ec2.describe_volumes())

# --- what goes wrong
refused("an unknown action is InvalidAction", "InvalidAction",
        client("ec2").describe_account_attributes)
refused("a malformed id is not the same as an unknown one", "InvalidInstanceID.Malformed",
        ec2.terminate_instances, InstanceIds=["i-xyz"])
refused("an unknown image is named", "InvalidAMIID.NotFound", ec2.run_instances,
        ImageId="ami-00000000000000000", InstanceType="t3.micro", MinCount=1, MaxCount=1)
refused("a missing parameter is named", "MissingParameter", ec2.run_instances, ImageId=image,
        InstanceType="t3.micro", MinCount=1)
equal("a wrong secret is 401", refused(
    "a wrong secret is AuthFailure", "AuthFailure",
    client("ec2", **WRONG).describe_vpcs), 401)
refused("at STS it is SignatureDoesNotMatch", "SignatureDoesNotMatch",
        client("sts", **WRONG).get_caller_identity)
refused("at SSM it is InvalidSignatureException", "InvalidSignatureException",
        client("ssm", **WRONG).get_parameter, Name=names[0])
refused("another region is refused", "AuthFailure",
        client("ec2", region_name="eu-west-1").describe_vpcs)


class OldClock(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(time.time() - 16 * 60, datetime.timezone.utc).replace(tzinfo=None)


class OldDatetime:
    timezone = datetime.timezone
    datetime = OldClock


signers = [botocore.auth]
try:
    import botocore.crt.auth  # what botocore signs with where awscrt is installed
    signers.append(botocore.crt.auth)
except ImportError:
    pass
for module in signers:
    module.datetime = OldDatetime
refused("a signature sixteen minutes old has expired", "RequestExpired",
        client("ec2").describe_vpcs)
for module in signers:
    module.datetime = datetime

unsigned = boto3.client("ec2", endpoint_url=URL, config=Config(
    signature_version=botocore.UNSIGNED, retries={"max_attempts": 0}))
refused("no signature at all is told apart", "MissingAuthenticationToken", unsigned.describe_vpcs)

codes = set()
for _ in range(140):
    try:
        ec2.describe_regions()
    except ClientError as error:
        codes.add((error.response["Error"]["Code"],
                   error.response["ResponseMetadata"]["HTTPStatusCode"]))
        break
equal("whoever asks too often is throttled", codes, {("RequestLimitExceeded", 503)})

# --- the end
ended = ec2.terminate_instances(InstanceIds=everyone)["TerminatingInstances"]
equal("all are told to end", {e["CurrentState"]["Name"] for e in ended}, {"shutting-down"})
ok("and end", wait_until(10, lambda: {i["State"]["Name"] for i in listed(Filters=mine)}
                         <= {"terminated"}))
again = ec2.terminate_instances(InstanceIds=everyone)["TerminatingInstances"]
equal("ending them again is no error", {e["CurrentState"]["Name"] for e in again}, {"terminated"})
gone = ec2.delete_fleets(FleetIds=[first["FleetId"], short["FleetId"]], TerminateInstances=True)
equal("fleets are deleted", len(gone["SuccessfulFleetDeletions"]), 2)
gone = ec2.delete_fleets(FleetIds=["fleet-00000000-0000-0000-0000-000000000000"],
                         TerminateInstances=True)
equal("an unknown fleet is an error of its own item",
      gone["UnsuccessfulFleetDeletions"][0]["Error"]["Code"], "fleetIdDoesNotExist")
ec2.delete_launch_template(LaunchTemplateId=template)
for name in ("boto", "mine"):
    ec2.delete_key_pair(KeyName=name)
ec2.delete_security_group(GroupId=group)
refused("what is deleted is gone", "InvalidGroup.NotFound", ec2.describe_security_groups,
        GroupIds=[group])
print(f"1..{count}")
sys.exit(1 if failed else 0)
