"""The rules on networks: their exact messages, their boundaries, and what they must not say."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lambda_patterns.model.assembly import from_templates, read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules import network
from lambda_patterns.rules.catalogue import select
from lambda_patterns.rules.engine import check
from lambda_patterns.rules.finding import Finding
from lambda_patterns.rules.rule import Severity

BAD = Path(__file__).parents[1] / "templates/bad"

MESSAGES = yaml.safe_load((Path(__file__).parent / "network_messages.yaml").read_text())


@pytest.mark.parametrize("rule", network.RULES, ids=lambda rule: rule.name)
def test_the_message_says_what_and_where_and_why(rule: Any) -> None:
    report = check(read(BAD / f"{rule.name}.yaml"), rules=[rule])
    found = [
        {"place": ".".join(filter(None, (finding.resource, finding.path))), "message": finding.message}
        for finding in report.findings
    ]
    assert found == MESSAGES[rule.name]


class _Loader(yaml.SafeLoader):
    """Reads short intrinsics as long ones."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    else:
        assert isinstance(node, yaml.SequenceNode)
        value = loader.construct_sequence(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def findings(name: str, settings: Settings | None = None, **changes: Any) -> tuple[Finding, ...]:
    """Change a bad template, and give what the network rules find in it then."""
    template = yaml.load((BAD / f"{name}.yaml").read_text(), _Loader)  # noqa: S506  # a SafeLoader
    template = copy.deepcopy(template)
    for path, value in changes.items():
        resource, *steps = path.split("__")
        at = template["Resources"].setdefault(resource, {})
        for step in steps[:-1]:
            at = at.setdefault(step, {})
        if steps and value is None:
            del at[steps[-1]]
        elif steps:
            at[steps[-1]] = value
        elif value is None:
            del template["Resources"][resource]
        else:
            template["Resources"][resource] = value
    return check(from_templates({"t": template}), settings, network.RULES).findings


@pytest.fixture
def changed() -> Callable[..., set[str]]:
    """Give a function that changes a bad template and says which network rules it breaks then."""

    def judged(name: str, settings: Settings | None = None, **changes: Any) -> set[str]:
        return {
            finding.rule
            for finding in findings(name, settings, **changes)
            if finding.rule == name or finding.severity is not Severity.NOTE
        }

    return judged


Changed = Callable[..., set[str]]
Judge = Callable[..., list[tuple[str, str]]]


def _endpoint(service: str, **properties: Any) -> dict[str, Any]:
    name = f"com.amazonaws.eu-west-1.{service}"
    made = {"VpcId": {"Ref": "Vpc"}, "ServiceName": name, **properties}
    return {"Type": "AWS::EC2::VPCEndpoint", "Properties": made}


def _statement(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"PolicyName": "Work", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def test_what_a_gateway_endpoint_carries_a_nat_gateway_does_not(changed: Changed) -> None:
    work = [_statement("s3:GetObject", "secretsmanager:GetSecretValue")]
    both = [{"Ref": "Table"}, {"Ref": "OtherTable"}]

    def said(**more: Any) -> dict[str, str]:
        found = findings("nat-replaceable", Role__Properties__Policies=work, **more)
        return {finding.resource: finding.message.partition(":")[0] for finding in found}

    s3_too, one = "carries only traffic to s3, secretsmanager", "carries only traffic to secretsmanager"
    assert said() == {"Nat": f"Nat {s3_too}", "OtherNat": f"OtherNat {s3_too}"}
    routed = said(Objects=_endpoint("s3", RouteTableIds=both))
    assert routed == {"Nat": f"Nat {one}", "OtherNat": f"OtherNat {one}"}
    half = said(Objects=_endpoint("s3", RouteTableIds=both[:1]))
    assert half == {"Nat": f"Nat {one}", "OtherNat": f"OtherNat {s3_too}"}
    assert changed("nat-replaceable", Objects=_endpoint("s3", RouteTableIds=both)) == {"nat-replaceable"}


def test_of_a_region_without_prices_no_price_is_said() -> None:
    path = BAD / "nat-replaceable.yaml"
    in_ireland = Settings(region="eu-west-1")
    found = check(read(path), in_ireland, network.RULES).findings
    assert [one.message for one in found if one.resource == "Nat"] == [
        "Nat carries only traffic to secretsmanager"
    ]


def test_a_nat_gateway_beside_endpoints_for_all_carries_nothing() -> None:
    secrets = _endpoint(
        "secretsmanager",
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
        SubnetIds=[{"Ref": "SubnetA"}, {"Ref": "SubnetB"}],
        SecurityGroupIds=[{"Ref": "EndpointGroup"}],
    )
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"}
    group = {"GroupDescription": "g", "VpcId": {"Ref": "Vpc"}, "SecurityGroupIngress": [https]}
    opened = {"Type": "AWS::EC2::SecurityGroup", "Properties": group}
    found = findings("nat-replaceable", Secrets=secrets, EndpointGroup=opened)
    (ours,) = (one for one in found if one.resource == "Nat")
    said = "Nat carries nothing that is known to be needed, endpoints lead to secretsmanager"
    assert ours.message == f"{said}: it costs 32.85 USD a month and its data (us-east-1)"
    assert ours.fix == "remove it, or declare what needs it: `needs=[...]`"


def test_250_interfaces_are_half_the_quota(changed: Changed) -> None:
    assert changed("many-network-interfaces", FunctionLast=None) == set()


@pytest.mark.parametrize(("first", "broken"), [(1024, False), (1025, True), (32768, True)])
def test_answers_to_functions_need_every_port_from_1024(changed: Changed, first: int, broken: bool) -> None:
    found = changed("network-acl-blocks", In100__Properties__PortRange={"From": first, "To": 65535})
    assert found == ({"network-acl-blocks"} if broken else set())


@pytest.mark.parametrize("port", [443, 6378, 6380])
def test_another_port_than_the_one_it_listens_on_is_closed(changed: Changed, port: int) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "10.0.0.0/16"}
    assert changed("peer-closed", CacheGroup__Properties__SecurityGroupIngress=[rule]) == {"peer-closed"}


@pytest.mark.parametrize("low", [1, 6379])
def test_a_range_of_ports_that_holds_it_is_open(changed: Changed, low: int) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": low, "ToPort": 6379, "CidrIp": "10.0.0.0/16"}
    assert changed("peer-closed", CacheGroup__Properties__SecurityGroupIngress=[rule]) == set()


def _peered() -> dict[str, Any]:
    def made(kind: str, **properties: Any) -> dict[str, Any]:
        return {"Type": f"AWS::EC2::{kind}", "Properties": properties}

    def route(table: str, block: str) -> dict[str, Any]:
        way = {"VpcPeeringConnectionId": {"Ref": "Peering"}}
        return made("Route", RouteTableId={"Ref": table}, DestinationCidrBlock=block, **way)

    return {
        "Peering": made("VPCPeeringConnection", VpcId={"Ref": "Vpc"}, PeerVpcId={"Ref": "OtherVpc"}),
        "Forth": route("Table", "10.1.0.0/16"),
        "Back": route("OtherTable", "10.0.0.0/16"),
        "Acl": made("NetworkAcl", VpcId={"Ref": "OtherVpc"}),
    }


def test_filters_stop_what_peering_carries_under_their_own_names(changed: Changed) -> None:
    assert changed("vpcs-not-connected", **_peered()) == set()
    closed = changed("vpcs-not-connected", **_peered(), CacheGroup__Properties__SecurityGroupIngress=[])
    assert closed == {"peer-closed"}
    behind = {
        f"AclOf{name}": {
            "Type": "AWS::EC2::SubnetNetworkAclAssociation",
            "Properties": {"SubnetId": {"Ref": f"Other{name}"}, "NetworkAclId": {"Ref": "Acl"}},
        }
        for name in "AB"
    }
    assert changed("vpcs-not-connected", **_peered(), **behind) == {"network-acl-blocks"}
    cut = {name: value for name, value in _peered().items() if name != "Back"}
    assert changed("vpcs-not-connected", **cut, **behind) == {"vpcs-not-connected"}


def test_one_subnet_is_too_few(changed: Changed) -> None:
    one = [{"Ref": "SubnetA"}]
    assert changed("function-in-one-zone", Function__Properties__VpcConfig__SubnetIds=one) == {
        "function-in-one-zone"
    }


def test_the_same_subnet_twice_is_one(changed: Changed) -> None:
    twice = [{"Ref": "SubnetA"}, {"Ref": "SubnetA"}]
    assert "function-in-one-zone" in changed(
        "function-in-one-zone", Function__Properties__VpcConfig__SubnetIds=twice
    )


def test_a_subnet_may_have_its_own_name_for_its_zone(changed: Changed) -> None:
    assert changed("function-in-one-zone", SubnetB__Properties__AvailabilityZone="eu-west-1b") == set()


def test_dns_host_names_off_make_private_dns_void(changed: Changed) -> None:
    found = changed(
        "endpoint-without-private-dns",
        Endpoint__Properties__PrivateDnsEnabled=True,
        Vpc__Properties__EnableDnsHostnames=False,
    )
    assert found == {"endpoint-without-private-dns"}


def test_two_endpoints_in_one_vpc_of_a_parameter_are_duplicated(judge: Judge) -> None:
    made = {
        "VpcId": {"Ref": "Where"},
        "VpcEndpointType": "Interface",
        "ServiceName": "com.amazonaws.eu-west-1.sqs",
        "PrivateDnsEnabled": True,
    }
    endpoint = {"Type": "AWS::EC2::VPCEndpoint", "Properties": made}
    elsewhere = {**endpoint, "Properties": {**made, "VpcId": {"Ref": "Other"}}}
    parameters = {name: {"Type": "String"} for name in ("Where", "Other")}
    found = judge("endpoint-duplicated", {"A": endpoint, "B": endpoint}, Parameters=parameters)
    assert [place for place, _ in found] == ["B.ServiceName"]
    assert judge("endpoint-duplicated", {"A": endpoint, "B": elsewhere}, Parameters=parameters) == []


def test_private_dns_that_is_not_given_is_not_known(changed: Changed) -> None:
    assert changed("endpoint-without-private-dns", Endpoint__Properties__PrivateDnsEnabled=None) == set()


def test_an_sdk_url_says_that_the_code_goes_elsewhere(changed: Changed) -> None:
    variables = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": "https://vault.corp.example"}
    assert changed("service-unreachable", Function__Properties__Environment={"Variables": variables}) == set()


def test_a_default_egress_beside_rules_apart_is_left_open(changed: Changed) -> None:
    found = changed(
        "egress-blocked",
        FunctionGroup__Properties__SecurityGroupEgress=None,
        Out={
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {
                "GroupId": {"Ref": "FunctionGroup"},
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5432,
                "CidrIp": "10.0.0.0/16",
            },
        },
    )
    assert found == set()


def test_an_unattached_internet_gateway_leads_nowhere(changed: Changed) -> None:
    found = changed("nat-shared-across-zones", Attachment=None)
    assert found == {"nat-gateway-without-internet", "nat-shared-across-zones"}


def test_a_regional_nat_gateway_leads_nowhere_without_an_internet_gateway(changed: Changed) -> None:
    regional = {"VpcId": {"Ref": "Vpc"}, "AvailabilityMode": "regional"}
    assert changed("nat-gateway-without-internet", Nat__Properties=regional) == set()
    found = changed("nat-gateway-without-internet", Nat__Properties=regional, Attachment=None)
    assert found == {"nat-gateway-without-internet"}


def test_a_nat_gateway_that_may_be_private_may_be_where_it_is(changed: Changed) -> None:
    kind = {"Fn::ImportValue": "connectivity"}
    assert changed("nat-gateway-without-internet", Nat__Properties__ConnectivityType=kind) == set()


def test_a_private_nat_gateway_does_not_break_isolation(changed: Changed) -> None:
    private = {"SubnetId": {"Ref": "SubnetA"}, "ConnectivityType": "private"}
    assert changed("isolation-broken", Nat__Properties=private) == set()


def test_a_nat_instance_without_an_address_is_broken(changed: Changed) -> None:
    found = changed("nat-instance-broken", NatInstance__Properties__SourceDestCheck=False, NatAddress=None)
    assert found == {"nat-instance-broken"}


def test_a_function_behind_a_closed_nat_instance_lacks_the_internet(changed: Changed) -> None:
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/16"}
    found = changed(
        "nat-instance-broken",
        NatInstance__Properties__SourceDestCheck=False,
        NatGroup__Properties__SecurityGroupIngress=[ssh],
        Function__Metadata={"LambdaPatterns": {"Needs": ["internet"]}},
    )
    assert found == {"nat-instance-broken", "internet-unreachable"}


def test_a_nat_instance_that_lets_nothing_in_is_broken() -> None:
    found = findings(
        "nat-instance-broken",
        NatInstance__Properties__SourceDestCheck=False,
        NatGroup__Properties__SecurityGroupIngress=None,
    )
    message = (
        "NatInstance is a NAT instance: security group NatGroup: no rule lets tcp 443 in from the subnets "
        "that route to it (SG_HAS_NO_RULES)"
    )
    broken = [(one.rule, one.message) for one in found if one.severity is not Severity.NOTE]
    assert broken == [("nat-instance-broken", message)]


def test_an_endpoint_that_a_function_does_not_get_to_is_not_closed(changed: Changed) -> None:
    everyone = [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
    elsewhere = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "10.0.0.0/16"}]
    found = changed(
        "endpoint-closed",
        EndpointGroup__Properties__SecurityGroupIngress=everyone,
        FunctionGroup__Properties__SecurityGroupEgress=elsewhere,
    )
    assert found == {"egress-blocked"}


def test_subnets_that_are_not_known_are_said_to_be_the_functions() -> None:
    given = {"Fn::ImportValue": "subnets"}
    (found,) = findings("endpoint-closed", Function__Properties__VpcConfig__SubnetIds=given)
    assert found.rule == "endpoint-closed"
    assert found.message == (
        "Function does not reach Secrets Manager from its subnets: security group EndpointGroup: no rule "
        "lets tcp 443 in from FunctionGroup (SG_HAS_NO_RULES)"
    )


def test_an_endpoint_whose_name_is_not_taken_needs_no_further_zone(changed: Changed) -> None:
    assert "endpoint-missing-zone" in changed("endpoint-missing-zone")
    off = changed("endpoint-missing-zone", Endpoint__Properties__PrivateDnsEnabled=False)
    assert "endpoint-missing-zone" not in off


def test_one_subnet_is_said_by_its_name() -> None:
    def said(subnet: Any) -> list[tuple[str, str]]:
        found = findings("function-in-one-zone", Function__Properties__VpcConfig__SubnetIds=[subnet])
        return [(one.rule, one.message) for one in found if one.severity is not Severity.NOTE]

    assert said({"Ref": "SubnetA"}) == [
        ("function-in-one-zone", "only subnet SubnetA, two are needed"),
    ]
    assert said({"Fn::ImportValue": "subnet"}) == [
        ("function-in-one-zone", "only subnet (given at deployment), two are needed"),
    ]


def test_what_mends_a_closed_peer_is_what_it_lacks() -> None:
    def found(**changes: Any) -> Finding:
        (one,) = [each for each in findings("peer-closed", **changes) if each.rule == "peer-closed"]
        return one

    ready = "use `function.allow_to(peer)` or `database.connect(function)`, or add "
    out = "an AWS::EC2::SecurityGroupEgress of Function's group to Cache's"
    into = "an AWS::EC2::SecurityGroupIngress of Cache's group from Function's"
    elsewhere = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIp": "10.0.0.0/16"}]
    lacking = found(FunctionGroup__Properties__SecurityGroupEgress=elsewhere)
    assert found().fix == f"{ready}{into}, tcp 6379"
    assert lacking.fix == f"{ready}{out} and {into}, tcp 6379"
    source = {"Fn::GetAtt": ["FunctionGroup", "GroupId"]}
    opened = {"IpProtocol": "tcp", "FromPort": 11211, "ToPort": 11211, "SourceSecurityGroupId": source}
    other = found(CacheGroup__Properties__SecurityGroupIngress=[opened])
    assert other.message.endswith("; its group lets in port 11211 instead")


def test_one_zone_by_its_id_is_one_zone(changed: Changed) -> None:
    zones = {f"Subnet{name}__Properties__AvailabilityZone": None for name in "AB"}
    ids = {f"Subnet{name}__Properties__AvailabilityZoneId": "use1-az4" for name in "AB"}
    assert changed("function-in-one-zone", **zones, **ids) == {"function-in-one-zone"}
    ids["SubnetB__Properties__AvailabilityZoneId"] = "use1-az6"
    assert changed("function-in-one-zone", **zones, **ids) == set()


_INTERFACES = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"]


@pytest.mark.parametrize(
    ("condition", "broken"),
    [(None, True), ({"ArnEquals": {"lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:f"}}, False)],
)
def test_a_role_that_is_denied_its_interfaces_lacks_them(
    changed: Changed,
    condition: Any,
    broken: bool,
) -> None:
    denies: dict[str, Any] = {"Effect": "Deny", "Action": "ec2:*NetworkInterface*", "Resource": "*"}
    if condition:
        denies["Condition"] = condition
    allows = {"Effect": "Allow", "Action": _INTERFACES, "Resource": "*"}
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": [allows, denies]}}
    found = changed("role-without-network-interfaces", Role__Properties__Policies=[policy])
    assert found == ({"role-without-network-interfaces"} if broken else set())


def test_a_function_outside_a_vpc_is_not_isolated(changed: Changed) -> None:
    assert changed("isolation-broken", Function__Properties__VpcConfig=None) == {"isolation-broken"}


def test_route_tables_of_a_gateway_endpoint_that_are_given_at_deployment_are_not_known(
    changed: Changed,
) -> None:
    tables = {"Fn::Split": [",", {"Fn::ImportValue": "tables"}]}
    assert changed("gateway-endpoint-not-routed", Endpoint__Properties__RouteTableIds=tables) == set()


@pytest.mark.parametrize("check", [True, False])
def test_a_nat_instance_is_as_the_network_interface_that_it_takes(changed: Changed, check: bool) -> None:
    found = changed(
        "nat-instance-broken",
        NatInstance__Properties={
            "ImageId": {"Ref": "Image"},
            "NetworkInterfaces": [{"DeviceIndex": "0", "NetworkInterfaceId": {"Ref": "Card"}}],
        },
        NatAddress={
            "Type": "AWS::EC2::EIPAssociation",
            "Properties": {"AllocationId": "eipalloc-1", "NetworkInterfaceId": {"Ref": "Card"}},
        },
        Card={
            "Type": "AWS::EC2::NetworkInterface",
            "Properties": {
                "SubnetId": {"Ref": "PublicSubnet"},
                "SourceDestCheck": check,
                "GroupSet": [{"Fn::GetAtt": ["NatGroup", "GroupId"]}],
            },
        },
    )
    assert found == ({"nat-instance-broken"} if check else set())


@pytest.mark.parametrize(
    ("granted", "resource", "passed", "broken"),
    [
        ("s3:GetObject", "*", {"Resource": "arn:aws:s3:::another/*"}, False),
        ("s3:GetObject", "bucket", {"Resource": "arn:aws:s3:::another/*"}, True),
        ("s3:Get*", "bucket", {"Resource": "arn:aws:s3:::another/*"}, True),
        ("s3:PutObject", "bucket", {"Action": "s3:GetObject"}, True),
        (["s3:GetObject", "s3:PutObject"], "bucket", {"Action": "s3:GetObject"}, True),
        (["s3:PutObject", "s3:PutObjectTagging"], "bucket", {"Action": "s3:PutObject"}, False),
        (["s3:GetObject*", "s3:GetBucket*", "s3:List*"], "bucket", {"Action": "s3:GetObject"}, False),
    ],
)
def test_an_endpoint_policy_is_held_against_each_action_of_a_grant(
    changed: Changed,
    granted: Any,
    resource: str,
    passed: dict[str, Any],
    broken: bool,
) -> None:
    objects = {"Fn::Sub": "${Bucket.Arn}/*"} if resource == "bucket" else resource
    allows = {"Effect": "Allow", "Action": granted, "Resource": objects}
    through = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", **passed}
    found = changed(
        "gateway-endpoint-not-routed",
        Role__Properties__Policies=[{"PolicyName": "p", "PolicyDocument": {"Statement": [allows]}}],
        Endpoint__Properties__RouteTableIds=[{"Ref": "Table"}],
        Endpoint__Properties__PolicyDocument={"Version": "2012-10-17", "Statement": [through]},
    )
    assert found == ({"endpoint-policy-denies"} if broken else set())


def test_an_endpoint_policy_for_another_role_denies(changed: Changed) -> None:
    through = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Statement": [{**through, "Principal": {"AWS": {"Fn::GetAtt": ["Another", "Arn"]}}}]}
    found = changed(
        "gateway-endpoint-not-routed",
        Endpoint__Properties__RouteTableIds=[{"Ref": "Table"}],
        Endpoint__Properties__PolicyDocument=policy,
        Another={"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}},
    )
    assert found == {"endpoint-policy-denies"}


def test_a_closed_group_is_mended_by_the_need_that_it_is_closed_to() -> None:
    (found,) = check(read(BAD / "egress-blocked.yaml"), rules=select(["egress-blocked"])).findings
    assert found.fix == (
        'declare the need: `VpcFunction(needs=["secretsmanager"])` opens the group, and asks its network for '
        "a way there; or add {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0} to "
        "SecurityGroupEgress; or, if the code never calls it, "
        '`function.allow_unreachable("secretsmanager", reason=...)`'
    )
