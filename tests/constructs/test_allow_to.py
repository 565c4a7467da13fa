"""One call opens both groups on the right port: in one stack, in two, and with what was imported."""

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs import Isolated, LambdaNetwork, PlainFunction, VpcFunction
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code, of_type, only

pytestmark = pytest.mark.cdk


def function_in(stack: Stack, network: LambdaNetwork, name: str = "Fetch") -> VpcFunction:
    return VpcFunction(stack, name, network=network, **code())


def database_in(stack: Stack, network: LambdaNetwork) -> rds.DatabaseInstance:
    return rds.DatabaseInstance(
        stack,
        "Database",
        engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17),
        vpc=network.vpc,
        vpc_subnets=network.subnets,
    )


def proxy_in(stack: Stack, database: rds.DatabaseInstance, network: LambdaNetwork) -> rds.DatabaseProxy:
    assert database.secret is not None
    return rds.DatabaseProxy(
        stack,
        "Proxy",
        proxy_target=rds.ProxyTarget.from_instance(database),
        secrets=[database.secret],
        vpc=network.vpc,
    )


def rules(template: dict[str, Any], function: str = "Fetch") -> tuple[dict[str, Any], dict[str, Any]]:
    """The egress and ingress rule of the function."""
    (egress,) = of_type(template, "AWS::EC2::SecurityGroupEgress")
    ingress = [
        rule
        for rule in of_type(template, "AWS::EC2::SecurityGroupIngress")
        if function in str(rule["SourceSecurityGroupId"])
    ]
    assert len(ingress) == 1
    return egress, ingress[0]


def test_in_one_stack_both_groups_are_opened_on_the_databases_port(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Isolated())
    database = database_in(stack, network)
    function_in(stack, network).allow_to(database)
    egress, ingress = rules(synthesize(stack))
    assert egress["ToPort"] == ingress["ToPort"]
    assert ingress["ToPort"]["Fn::GetAtt"][1] == "Endpoint.Port"
    assert egress["DestinationSecurityGroupId"] == ingress["GroupId"]
    assert egress["GroupId"] == ingress["SourceSecurityGroupId"]


def test_a_proxy_is_met_on_the_port_of_its_engine_family(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Isolated())
    proxy = proxy_in(stack, database_in(stack, network), network)
    function_in(stack, network).allow_to(proxy)
    egress, ingress = rules(synthesize(stack))
    assert (egress["ToPort"], ingress["ToPort"]) == (5432, 5432)


def test_across_stacks_both_rules_stand_with_the_function(app: App) -> None:
    base, data, service = (Stack(app, name) for name in ("Base", "Data", "Service"))
    network = LambdaNetwork(base, "Network", internet=Isolated())
    database = database_in(data, network)
    proxy = proxy_in(data, database, network)
    function = function_in(service, network)
    function.allow_to(database)
    function.allow_to(proxy)
    function.add_environment("DATABASE_HOST", proxy.endpoint)
    own = synthesize(service)
    assert len(of_type(own, "AWS::EC2::SecurityGroupEgress")) == 2
    assert len(of_type(own, "AWS::EC2::SecurityGroupIngress")) == 2
    between_proxy_and_database = only(synthesize(data), "AWS::EC2::SecurityGroupIngress")
    assert "Proxy" in str(between_proxy_and_database["SourceSecurityGroupId"])


def test_two_functions_in_two_stacks_share_a_database(app: App) -> None:
    base, first, second = (Stack(app, name) for name in ("Base", "First", "Second"))
    network = LambdaNetwork(base, "Network", internet=Isolated())
    database = database_in(base, network)
    for stack in (first, second):
        function_in(stack, network).allow_to(database)
    for stack in (first, second):
        rules(synthesize(stack))


def test_an_imported_database_is_opened_through_its_group(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Isolated())
    database = rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Imported",
        instance_identifier="orders",
        instance_endpoint_address="orders.abc.eu-west-1.rds.amazonaws.com",
        port=5433,
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")],
    )
    function_in(stack, network).allow_to(database)
    egress, ingress = rules(synthesize(stack))
    assert (egress["DestinationSecurityGroupId"], egress["ToPort"]) == ("sg-0123456789abcdef0", 5433)
    assert (ingress["GroupId"], ingress["ToPort"]) == ("sg-0123456789abcdef0", 5433)


def test_connections_stand_for_what_has_no_construct(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Isolated())
    group = ec2.SecurityGroup(stack, "Cache", vpc=network.vpc)
    cache = ec2.Connections(security_groups=[group], default_port=ec2.Port.tcp(6379))
    function_in(stack, network).allow_to(cache)
    egress, ingress = rules(synthesize(stack))
    assert (egress["ToPort"], ingress["ToPort"]) == (6379, 6379)


def replication_group(stack: Stack, groups: list[str], **more: Any) -> elasticache.CfnReplicationGroup:
    return elasticache.CfnReplicationGroup(
        stack, "Sessions", replication_group_description="sessions", security_group_ids=groups, **more
    )


def cache_cluster(stack: Stack, groups: list[str]) -> elasticache.CfnCacheCluster:
    return elasticache.CfnCacheCluster(
        stack,
        "Sessions",
        engine="memcached",
        cache_node_type="cache.t4g.small",
        num_cache_nodes=1,
        vpc_security_group_ids=groups,
    )


def serverless_cache(stack: Stack, groups: list[str]) -> elasticache.CfnServerlessCache:
    return elasticache.CfnServerlessCache(
        stack, "Sessions", engine="valkey", serverless_cache_name="sessions", security_group_ids=groups
    )


@pytest.mark.parametrize(
    ("make", "ports"),
    [
        (replication_group, (6379, 6379)),
        (lambda *given: replication_group(*given, port=7000), (7000, 7000)),
        (cache_cluster, (11211, 11211)),
        (serverless_cache, (6379, 6380)),
    ],
    ids=["replication group", "with a port", "memcached", "serverless"],
)
def test_a_cache_is_opened_through_its_groups_on_its_engines_port(
    app: App, make: Any, ports: tuple[int, int]
) -> None:
    base, service = Stack(app, "Base"), Stack(app, "Service")
    network = LambdaNetwork(base, "Network", internet=Isolated())
    group = ec2.SecurityGroup(base, "CacheGroup", vpc=network.vpc)
    cache = make(base, [group.security_group_id])
    for name in ("Fetch", "Other"):
        function_in(service, network, name).allow_to(cache)
    function_in(service, network, "Again").allow_to(cache)
    template = synthesize(service)
    for kind in ("AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"):
        opened = [(rule["FromPort"], rule["ToPort"]) for rule in of_type(template, kind)]
        assert opened == [ports] * 3


def test_a_function_is_let_to_a_cache_twice_without_harm(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Isolated())
    cache = replication_group(stack, ["sg-0123456789abcdef0"])
    function = function_in(stack, network)
    function.allow_to(cache)
    function.allow_to(cache)
    egress, ingress = rules(synthesize(stack))
    assert (egress["ToPort"], ingress["GroupId"]) == (6379, "sg-0123456789abcdef0")


def test_a_cache_whose_groups_are_not_said_is_refused(stack: Stack) -> None:
    cache = replication_group(stack, [])
    assert refused(stack, cache).startswith("peer: no security group is known of the peer Stack/Sessions")


def test_a_listener_of_an_internal_load_balancer_says_its_port(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Isolated())
    balancer = elbv2.ApplicationLoadBalancer(stack, "Internal", vpc=network.vpc, vpc_subnets=network.subnets)
    answer = elbv2.ListenerAction.fixed_response(200)
    listener = balancer.add_listener("Http", port=8080, open=False, default_action=answer)
    function_in(stack, network).allow_to(listener)
    egress, ingress = rules(synthesize(stack))
    assert (egress["ToPort"], ingress["ToPort"]) == (8080, 8080)


@pytest.mark.parametrize("port", [9000, ec2.Port.tcp(9000)])
def test_a_port_that_is_given_wins(stack: Stack, port: Any) -> None:
    network = LambdaNetwork(stack, "Network", internet=Isolated())
    function_in(stack, network).allow_to(database_in(stack, network), port)
    egress, ingress = rules(synthesize(stack))
    assert (egress["ToPort"], ingress["ToPort"]) == (9000, 9000)


def refused(stack: Stack, peer: Any, port: Any = None) -> str:
    network = LambdaNetwork(stack, "Network", internet=Isolated())
    function = function_in(stack, network)
    with pytest.raises(ArgumentError) as caught:
        function.allow_to(peer, port)
    return str(caught.value)


def test_a_peer_without_a_default_port_needs_one(stack: Stack) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    assert refused(stack, group) == (
        "port: the peer Stack/Group has no default port: pass the one that it listens on, allow_to(peer, 443)"
    )


def test_a_port_that_tcp_does_not_have_is_refused(stack: Stack) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    assert refused(stack, group, 70_000) == (
        "port: port is 70,000 TCP port, allowed are 1-65,535 TCP port: TCP knows no other ports "
        "(https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html)"
    )


def test_a_peer_whose_groups_are_not_known_is_refused(stack: Stack) -> None:
    proxy = rds.DatabaseProxy.from_database_proxy_attributes(
        stack,
        "Imported",
        db_proxy_arn="arn:aws:rds:eu-west-1:123456789012:db-proxy:prx-1",
        db_proxy_name="orders",
        endpoint="orders.proxy-abc.eu-west-1.rds.amazonaws.com",
        security_groups=[],
    )
    assert refused(stack, proxy, 5432) == (
        "peer: no security group is known of the peer Stack/Imported: import it with its groups, pass "
        "ec2.Connections(security_groups=[...], default_port=...), or the addresses of what has no group, "
        'ec2.Peer.ipv4("10.0.3.0/24")'
    )


def test_a_plain_function_says_that_it_reaches_nothing_private(stack: Stack) -> None:
    function = PlainFunction(stack, "Plain", **code())
    peer = ec2.Connections(default_port=ec2.Port.tcp(5432))
    with pytest.raises(ArgumentError) as caught:
        function.allow_to(peer)
    assert str(caught.value) == (
        "peer: a function outside the VPC reaches nothing that has a private address: make it "
        "VpcFunction(..., network=...) (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html)"
    )
