"""How each type of resource writes its place in a VPC."""

from typing import Any

import pytest
from small_networks import (
    EVERYWHERE,
    Resources,
    base,
    gateway,
    group,
    made,
    parameter,
    ref,
    route,
    rule,
    verdict,
)

from lambda_patterns.model.network import Service

BOTH = [ref("A"), ref("B")]
GROUPS = [ref("HostGroup")]
HOSTS: dict[str, tuple[dict[str, Any], int]] = {
    "RDS::DBInstance": (
        {"Engine": "mysql", "DBSubnetGroupName": ref("Placed"), "VPCSecurityGroups": GROUPS},
        3306,
    ),
    "RDS::DBCluster": (
        {
            "Engine": "aurora-postgresql",
            "DBSubnetGroupName": ref("Placed"),
            "VpcSecurityGroupIds": GROUPS,
        },
        5432,
    ),
    "RDS::DBProxy": (
        {"EngineFamily": "MYSQL", "VpcSubnetIds": BOTH, "VpcSecurityGroupIds": GROUPS},
        3306,
    ),
    "RDS::DBProxyEndpoint": (
        {"DBProxyName": ref("Proxy"), "VpcSubnetIds": BOTH, "VpcSecurityGroupIds": GROUPS},
        1433,
    ),
    "DocDB::DBCluster": ({"DBSubnetGroupName": ref("Placed"), "VpcSecurityGroupIds": GROUPS}, 27017),
    "Neptune::DBCluster": ({"DBSubnetGroupName": ref("Placed"), "VpcSecurityGroupIds": GROUPS}, 8182),
    "Redshift::Cluster": (
        {
            "ClusterSubnetGroupName": ref("Placed"),
            "VpcSecurityGroupIds": GROUPS,
            "PubliclyAccessible": False,
        },
        5439,
    ),
    "ElastiCache::CacheCluster": (
        {"Engine": "memcached", "CacheSubnetGroupName": ref("Placed"), "VpcSecurityGroupIds": GROUPS},
        11211,
    ),
    "ElastiCache::ReplicationGroup": (
        {"CacheSubnetGroupName": ref("Placed"), "SecurityGroupIds": GROUPS},
        6379,
    ),
    "ElastiCache::ServerlessCache": ({"SubnetIds": BOTH, "SecurityGroupIds": GROUPS}, 6379),
    "MemoryDB::Cluster": ({"SubnetGroupName": ref("Placed"), "SecurityGroupIds": GROUPS}, 6379),
    "ElasticLoadBalancingV2::LoadBalancer": (
        {"Scheme": "internal", "Subnets": BOTH, "SecurityGroups": GROUPS},
        8443,
    ),
    "OpenSearchService::Domain": ({"VPCOptions": {"SubnetIds": BOTH, "SecurityGroupIds": GROUPS}}, 443),
}
PLACED = {
    "RDS": "RDS::DBSubnetGroup",
    "DocDB": "DocDB::DBSubnetGroup",
    "Neptune": "Neptune::DBSubnetGroup",
    "Redshift": "Redshift::ClusterSubnetGroup",
    "ElastiCache": "ElastiCache::SubnetGroup",
    "MemoryDB": "MemoryDB::SubnetGroup",
}


def beside(kind: str, opened: int, **changes: Any) -> Resources:
    """A function and a host of a type, whose group lets the function in on one port."""
    properties = HOSTS[kind][0] | changes
    found = base(
        Host=made(kind, **properties),
        HostGroup=group(SecurityGroupIngress=[rule(opened, SourceSecurityGroupId=ref("FunctionGroup"))]),
        Proxy=made("RDS::DBProxy", EngineFamily="SQLSERVER"),
        Listener=made("ElasticLoadBalancingV2::Listener", LoadBalancerArn=ref("Host"), Port=8443),
    )
    if service := PLACED.get(kind.split("::", maxsplit=1)[0]):
        found["Placed"] = made(service, SubnetIds=BOTH)
    return found


@pytest.mark.parametrize("kind", HOSTS)
def test_a_host_is_reached_in_its_subnets_through_its_groups_on_its_port(kind: str) -> None:
    port = HOSTS[kind][1]
    assert verdict(beside(kind, port), "Host") == ("reached", None)
    assert verdict(beside(kind, port + 1), "Host") == ("blocked", "ENI_SG_RULES_MISMATCH")


def test_a_subnet_group_may_be_known_by_its_name() -> None:
    found = beside("RDS::DBInstance", 3306, DBSubnetGroupName="orders")
    assert verdict(found, "Host") == ("unknown", None)
    found["Placed"]["Properties"]["DBSubnetGroupName"] = "orders"
    assert verdict(found, "Host") == ("reached", None)


def test_a_load_balancer_may_map_its_subnets() -> None:
    kind = "ElasticLoadBalancingV2::LoadBalancer"
    mapped = beside(kind, 8443, Subnets=ref("AWS::NoValue"), SubnetMappings=[{"SubnetId": ref("A")}])
    assert verdict(mapped, "Host") == ("reached", None)
    mapped["Host"]["Properties"]["SubnetMappings"] = ref("Mappings")
    assert verdict(mapped, "Host", **parameter("Mappings", "CommaDelimitedList")) == ("unknown", None)


def test_a_host_in_subnets_that_are_not_known_is_in_the_vpc_of_its_groups() -> None:
    function = made(
        "Lambda::Function", VpcConfig={"SubnetIds": ref("Subnets"), "SecurityGroupIds": [ref("Theirs")]}
    )
    endpoint = made(
        "EC2::VPCEndpoint",
        VpcId=ref("TheirVpc"),
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.eu-west-1.sqs",
        SubnetIds=ref("Subnets"),
        PrivateDnsEnabled=True,
        SecurityGroupIds=[ref("Closed")],
    )
    here = base(Elsewhere=function, Theirs=made("EC2::SecurityGroup", VpcId=ref("TheirVpc")))
    here["Closed"] = made("EC2::SecurityGroup", VpcId=ref("TheirVpc"))
    parameters = {
        "TheirVpc": {"Type": "AWS::EC2::VPC::Id"},
        "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"},
    }
    here["Endpoint"] = endpoint
    asked = verdict(here, Service("sqs"), "Elsewhere", Parameters=parameters)
    assert asked == ("blocked", "SG_HAS_NO_RULES")


@pytest.mark.parametrize(
    ("kind", "groups", "expected"),
    [
        ("network", [], ("reached", None)),
        ("network", GROUPS, ("blocked", "ENI_SG_RULES_MISMATCH")),
        ("application", [], ("blocked", "ENI_SG_RULES_MISMATCH")),
    ],
)
def test_a_network_load_balancer_without_groups_lets_everyone_in(
    kind: str, groups: list[Any], expected: tuple[str, str | None]
) -> None:
    found = beside("ElasticLoadBalancingV2::LoadBalancer", 1, Type=kind, SecurityGroups=groups)
    assert verdict(found, "Host") == expected


@pytest.mark.parametrize(("mapped", "expected"), [(True, "reached"), (False, "blocked")])
def test_an_instance_has_a_public_address_where_its_subnet_maps_one(mapped: bool, expected: str) -> None:
    found = base(**gateway(), Route=route(GatewayId=ref("Gateway")))
    found["A"]["Properties"]["MapPublicIpOnLaunch"] = mapped
    found["Machine"] = made(
        "EC2::Instance", ImageId="ami-1", SubnetId=ref("A"), SecurityGroupIds=[ref("Out")]
    )
    found["Out"] = group(SecurityGroupEgress=[rule(443, CidrIp=EVERYWHERE)])
    assert verdict(found, source="Machine")[0] == expected
