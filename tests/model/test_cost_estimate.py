"""Bills checked by hand: every figure below is written out from the price sheet, not computed by the code."""

from typing import Any

import pytest

from lambda_patterns.facts.prices import PriceSheet
from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.cost import Estimate, estimate, parse_workload

SEOUL, VIRGINIA = "ap-northeast-2", "us-east-1"
FUNCTION = {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024, "Runtime": "python3.13"}}


def bill(
    resources: dict[str, Any], workload: dict[str, Any] | None = None, region: str = VIRGINIA, **prices: float
) -> Estimate:
    (deployment,) = from_templates({"Shop": {"Resources": resources}}).deployments()
    overrides = {name.replace("_", "-"): value for name, value in prices.items()}
    return estimate(deployment, parse_workload(workload or {}), PriceSheet(region, overrides))


def amounts(found: Estimate, resource: str) -> dict[str, float | None]:
    return {
        line.what: line.monthly for line in found.lines if line.resource == resource and line.quantity != 0
    }


def function(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Properties": {**FUNCTION["Properties"], **properties}}


def load(free_tier: bool = False, **values: float) -> dict[str, Any]:  # noqa: FBT002  # as the file says it
    return {"free_tier": free_tier, "functions": {"Fn": values}}


def test_requests_and_gb_seconds_of_one_function() -> None:
    found = bill({"Fn": FUNCTION}, load(invocations=3_000_000, duration_ms=120))
    # 3 x 0.20; 3,000,000 x 0.120 s x 1 GB = 360,000 GB-s x 0.0000166667 = 6.000012
    assert amounts(found, "Fn") == {"requests": pytest.approx(0.60), "duration": pytest.approx(6.000012)}
    assert found.monthly == pytest.approx(6.600012)


def test_the_free_tier_of_the_note_covers_400_000_seconds_at_1_gb_and_3_200_000_at_128_mb() -> None:
    at_1_gb = bill({"Fn": FUNCTION}, load(free_tier=True, invocations=400_000, duration_ms=1000))
    at_128_mb = bill(
        {"Fn": function(MemorySize=128, Timeout=4)},
        load(free_tier=True, invocations=1_000_000, duration_ms=3200),
    )
    assert at_1_gb.monthly == pytest.approx(0)
    assert at_128_mb.monthly == pytest.approx(0)


def test_a_dollar_buys_60_000_gb_seconds_on_x86_and_75_000_on_arm_and_not_600_000() -> None:
    """The note says 600,000; the price list says a tenth of it."""
    x86 = bill({"Fn": FUNCTION}, load(invocations=60_000, duration_ms=1000))
    arm = bill({"Fn": function(Architectures=["arm64"])}, load(invocations=75_000, duration_ms=1000))
    note = bill({"Fn": FUNCTION}, load(invocations=600_000, duration_ms=1000))
    assert amounts(x86, "Fn")["duration"] == pytest.approx(1.00, abs=0.001)
    assert amounts(arm, "Fn")["duration"] == pytest.approx(1.00, abs=0.001)
    assert amounts(note, "Fn")["duration"] == pytest.approx(10.00, abs=0.001)


def test_the_notes_first_million_requests_are_free_and_the_next_million_costs_20_cents() -> None:
    million = bill({"Fn": FUNCTION}, load(free_tier=True, invocations=1_000_000))
    two = bill({"Fn": FUNCTION}, load(free_tier=True, invocations=2_000_000))
    assert million.monthly == pytest.approx(0)
    assert two.monthly == pytest.approx(0.20)


def test_the_free_gb_seconds_are_shared_by_both_architectures() -> None:
    found = bill(
        {"X": FUNCTION, "A": function(Architectures=["arm64"])},
        {"functions": {"*": {"invocations": 400_000, "duration_ms": 1000}}},
    )
    # 800,000 requests are free; 400,000 GB-s each, half of each free:
    # 200,000 x 0.0000166667 + 200,000 x 0.0000133334 = 3.33334 + 2.66668
    assert found.monthly == pytest.approx(6.00002)


def test_the_init_phase_of_cold_starts_is_billed_as_duration() -> None:
    found = bill(
        {"Fn": FUNCTION}, load(invocations=1_000_000, duration_ms=100, cold_starts=0.01, init_ms=500)
    )
    # 1,000,000 x (0.100 + 0.01 x 0.500) s = 105,000 GB-s
    assert amounts(found, "Fn")["duration"] == pytest.approx(105_000 * 0.0000166667)


def test_only_the_ephemeral_storage_above_512_mb_is_charged() -> None:
    found = bill(
        {"Fn": function(EphemeralStorage={"Size": 2560})}, load(invocations=1_000_000, duration_ms=1000)
    )
    # 2 GB x 1,000,000 s x 0.0000000309
    assert amounts(found, "Fn")["ephemeral storage"] == pytest.approx(0.0618)
    assert "ephemeral storage" not in amounts(
        bill({"Fn": FUNCTION}, load(invocations=5, duration_ms=5)), "Fn"
    )


def test_provisioned_concurrency_costs_without_traffic_and_lowers_the_price_of_duration() -> None:
    resources = {
        "Fn": FUNCTION,
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Fn"},
                "Name": "live",
                "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 10},
            },
        },
    }
    found = bill(resources, load(invocations=1_000_000, duration_ms=100))
    # 10 x 1 GB x 730 x 3600 s x 0.0000041667 = 109.500876; 100,000 GB-s x 0.0000097222 = 0.97222
    assert amounts(found, "Fn") == {
        "requests": pytest.approx(0.20),
        "provisioned": pytest.approx(109.500876),
        "provisioned duration": pytest.approx(0.97222),
    }
    assert found.floor == pytest.approx(109.500876)


def test_scaled_provisioned_concurrency_costs_its_least_however_the_target_names_the_function() -> None:
    arn_part = {"Fn::Select": [6, {"Fn::Split": [":", {"Ref": "Live"}]}]}
    version_part = {"Fn::Select": [6, {"Fn::Split": [":", {"Ref": "First"}]}]}
    for named in ({"Ref": "Fn"}, arn_part, version_part):
        resources = {
            "Fn": FUNCTION,
            "Live": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {"FunctionName": {"Ref": "Fn"}, "Name": "live"},
            },
            "First": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Fn"}}},
            "Target": {
                "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
                "Properties": {
                    "ServiceNamespace": "lambda",
                    "MinCapacity": 2,
                    "MaxCapacity": 20,
                    "ResourceId": {"Fn::Join": ["", ["function:", named, ":live"]]},
                },
            },
        }
        # 2 x 1 GB x 2,628,000 s x 0.0000041667
        assert bill(resources).floor == pytest.approx(21.9001752)


def scaled(**properties: Any) -> dict[str, Any]:
    target = {
        "ServiceNamespace": "lambda",
        "ResourceId": {"Fn::Join": ["", ["function:", {"Ref": "Fn"}, ":live"]]},
        **properties,
    }
    return {
        "Fn": FUNCTION,
        "Target": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": target},
    }


def test_what_scales_in_another_service_provisions_no_function() -> None:
    assert bill(scaled(MinCapacity=2)).floor == pytest.approx(21.9001752)
    assert bill(scaled(MinCapacity=2, ServiceNamespace="custom-resource")).floor == 0


def test_what_is_provisioned_by_the_clock_is_unknown_until_the_workload_says_for_how_long() -> None:
    morning = {"Schedule": "cron(0 8 * * ? *)", "ScalableTargetAction": {"MinCapacity": 5, "MaxCapacity": 5}}
    resources = scaled(MinCapacity=0, MaxCapacity=1, ScheduledActions=[morning])
    (line,) = bill(resources).unknown
    assert (line.what, line.floor) == ("provisioned above", True)
    assert line.why == (
        "provisioned concurrency is scaled, and counted at its least: say `provisioned` and "
        "`provisioned_hours` in the workload"
    )
    told = bill(resources, load(provisioned=5, provisioned_hours=220))
    assert told.unknown == ()
    # 5 x 1 GB x 220 x 3600 s x 0.0000041667
    assert amounts(told, "Fn") == {"provisioned": pytest.approx(16.500132)}


def test_what_is_provisioned_by_use_is_its_least_without_traffic_and_unknown_with_it() -> None:
    resources = scaled(MinCapacity=2, MaxCapacity=20)
    assert bill(resources).unknown == ()
    (line,) = bill(resources, load(invocations=1000, duration_ms=10)).unknown
    assert (line.what, line.floor) == ("provisioned above", False)
    assert bill(scaled(MinCapacity=2, MaxCapacity=2), load(invocations=1000)).unknown == ()


def test_provisioned_concurrency_in_seoul_matches_the_catalogues_134_70_for_ten_gigabytes() -> None:
    found = bill({"Fn": FUNCTION}, load(provisioned=10), region=SEOUL)
    assert amounts(found, "Fn")["provisioned"] == pytest.approx(134.70, abs=0.01)


def test_scheduled_provisioned_concurrency_is_charged_for_its_hours_in_steps_of_five_minutes() -> None:
    found = bill({"Fn": FUNCTION}, load(provisioned=1, provisioned_hours=0.01))
    assert amounts(found, "Fn")["provisioned"] == pytest.approx(300 * 0.0000041667)


def test_volume_tiers_begin_at_six_and_fifteen_thousand_million_gb_seconds() -> None:
    found = bill({"Fn": FUNCTION}, load(invocations=2e10, duration_ms=1000))
    # 6e9 x 0.0000166667 + 9e9 x 0.0000150000 + 5e9 x 0.0000133334 = 100,000.2 + 135,000 + 66,667
    duration = sum(line.monthly or 0 for line in found.lines if line.unit == "GB-s")
    assert duration == pytest.approx(301_667.2)


def test_what_a_savings_plan_covers_is_not_lowered_by_the_volume_tiers_again() -> None:
    plan = {"savings_plan": {"plan": "no-upfront", "coverage": 0.5}}
    found = bill({"Fn": FUNCTION}, load(invocations=2e10, duration_ms=1000) | plan)
    duration = sum(line.monthly or 0 for line in found.lines if line.unit == "GB-s")
    # half of it 1e10 x 0.0000147 = 147,000, the other half of the 301,667.20 above
    assert duration == pytest.approx(147_000 + 150_833.6)


def test_a_savings_plan_lowers_the_duration_it_covers_and_not_the_requests() -> None:
    workload = load(invocations=1_000_000, duration_ms=1000) | {
        "savings_plan": {"plan": "no-upfront", "coverage": 0.5}
    }
    # 500,000 GB-s at 0.0000147 and 500,000 at 0.0000166667, and 0.20 for the requests
    assert bill({"Fn": FUNCTION}, workload).monthly == pytest.approx(7.35 + 8.33335 + 0.20)


def test_snap_start_is_charged_for_python_by_version_and_restore_and_not_for_java() -> None:
    def snapped(runtime: Any) -> dict[str, Any]:
        return {
            "Fn": function(Runtime=runtime, SnapStart={"ApplyOn": "PublishedVersions"}),
            "V": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Fn"}}},
        }

    found = bill(snapped("python3.13"), load(invocations=1_000_000, cold_starts=0.01))
    # 1 GB x 2,628,000 s x 0.0000015046 = 3.9540888; 10,000 restores x 1 GB x 0.0001397998 = 1.397998
    assert amounts(found, "Fn")["snapshot"] == pytest.approx(3.9540888)
    assert amounts(found, "Fn")["restores"] == pytest.approx(1.397998)
    assert "snapshot" not in amounts(bill(snapped("java21"), load(invocations=10, cold_starts=1)), "Fn")
    given = bill(snapped({"Fn::ImportValue": "runtime"}), load(invocations=10, cold_starts=1))
    assert amounts(given, "Fn")["snapshot"] == pytest.approx(3.9540888)


def test_a_function_at_the_edge_has_prices_of_its_own_and_none_of_the_free_quantities() -> None:
    trusts = {"Principal": {"Service": ["edgelambda.amazonaws.com"]}}
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {"Statement": [trusts]}},
    }
    at_edge = {"Fn": function(MemorySize=128, Role={"Fn::GetAtt": ["Role", "Arn"]}), "Role": role}
    for region in ("us-east-1", "ap-northeast-2"):
        found = bill(at_edge, load(free_tier=True, invocations=1_000_000, duration_ms=50), region=region)
        # 1,000,000 x 0.050 s x 0.125 GB = 6,250 GB-s x 0.00005001
        assert amounts(found, "Fn") == {"requests": pytest.approx(0.60), "duration": pytest.approx(0.3125625)}
        assert found.monthly == pytest.approx(0.9125625)


def test_log_lines_are_charged_by_what_the_workload_says_they_weigh() -> None:
    found = bill({"Fn": FUNCTION}, load(invocations=1_048_576, log_kb=2, log_stored_gb=10), region=SEOUL)
    # 2 GB x 0.76; 10 GB x 0.0314
    assert amounts(found, "Fn")["log lines"] == pytest.approx(1.52)
    assert amounts(found, "Fn")["log storage"] == pytest.approx(0.314)


def test_pollers_of_a_provisioned_queue_mapping_are_charged_by_the_hour() -> None:
    mapping: dict[str, Any] = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
            "FunctionName": {"Ref": "Fn"},
            "ProvisionedPollerConfig": {"MinimumPollers": 4},
        },
    }
    found = bill({"Fn": FUNCTION, "Queue": {"Type": "AWS::SQS::Queue"}, "Mapping": mapping})
    # 4 x 730 x 0.00925
    assert found.floor == pytest.approx(27.01)
    plain = {**mapping["Properties"]}
    del plain["ProvisionedPollerConfig"]
    kafka = {**mapping["Properties"], "EventSourceArn": {"Fn::GetAtt": ["Cluster", "Arn"]}}
    others = {
        "Plain": {**mapping, "Properties": plain},
        "Kafka": {**mapping, "Properties": kafka},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Cluster": {"Type": "AWS::MSK::Cluster"},
    }
    assert "event pollers" not in {line.what for line in bill({"Fn": FUNCTION, **others}).lines}


VPC: dict[str, Any] = {
    "Vpc": {"Type": "AWS::EC2::VPC"},
    **{
        f"Subnet{zone}": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "AvailabilityZone": f"ap-northeast-2{zone}"},
        }
        for zone in "ac"
    },
}


def test_two_nat_gateways_in_seoul_cost_86_14_and_their_addresses_7_30_before_any_traffic() -> None:
    resources = dict(VPC)
    for zone in "ac":
        resources[f"Address{zone}"] = {"Type": "AWS::EC2::EIP"}
        resources[f"Nat{zone}"] = {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {
                "SubnetId": {"Ref": f"Subnet{zone}"},
                "AllocationId": {"Fn::GetAtt": [f"Address{zone}", "AllocationId"]},
            },
        }
    found = bill(resources, {"nat_gateways": {"Nata": {"gb": 100}}}, region=SEOUL)
    assert amounts(found, "Nata") == {"hours": pytest.approx(43.07), "data": pytest.approx(5.90)}
    assert found.floor == pytest.approx(86.14 + 7.30)
    assert found.dominant() == ("nat-gateway-hour", pytest.approx(86.14 / (86.14 + 7.30 + 5.90)))


def test_a_nat_gateway_with_an_address_from_elsewhere_pays_for_it_and_a_private_one_has_none() -> None:
    public = {
        "Type": "AWS::EC2::NatGateway",
        "Properties": {"AllocationId": "eipalloc-1", "SubnetId": "subnet-1"},
    }
    private = {
        "Type": "AWS::EC2::NatGateway",
        "Properties": {"ConnectivityType": "private", "SubnetId": "subnet-1"},
    }
    assert bill({"Nat": public}).floor == pytest.approx(0.045 * 730 + 3.65)
    assert bill({"Nat": private}).floor == pytest.approx(0.045 * 730)


def test_a_regional_nat_gateway_is_charged_for_each_zone_of_its_vpc() -> None:
    nat = {
        "Type": "AWS::EC2::NatGateway",
        "Properties": {"AvailabilityMode": "regional", "VpcId": {"Ref": "Vpc"}},
    }
    assert bill(VPC | {"Nat": nat}, region=SEOUL).floor == pytest.approx(86.14 + 7.30)
    imported = bill({"Nat": {**nat, "Properties": {"AvailabilityMode": "regional", "VpcId": "vpc-1"}}})
    assert [line.why for line in imported.unknown] == ["the zones of a VPC that is not in the template"] * 2


def test_an_interface_endpoint_is_charged_for_each_subnet_and_a_gateway_endpoint_is_free() -> None:
    def endpoint(kind: str) -> dict[str, Any]:
        subnets = [{"Ref": "Subneta"}, {"Ref": "Subnetc"}]
        return {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {"VpcEndpointType": kind, "SubnetIds": subnets},
        }

    resources = VPC | {"Sqs": endpoint("Interface"), "S3": endpoint("Gateway")}
    found = bill(resources, {"endpoints": {"Sqs": {"gb": 50}}}, region=SEOUL)
    assert amounts(found, "Sqs") == {"zones": pytest.approx(18.98), "data": pytest.approx(0.50)}
    assert amounts(found, "S3") == {}


def test_a_nat_instance_is_charged_for_its_hours_address_and_volume() -> None:
    instance = {
        "Type": "AWS::EC2::Instance",
        "Properties": {
            "InstanceType": "t4g.micro",
            "NetworkInterfaces": [{"AssociatePublicIpAddress": True}],
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}],
        },
    }
    # 730 x 0.0104; 730 x 0.005; 8 x 0.0912
    assert bill({"Nat": instance}, region=SEOUL).floor == pytest.approx(7.592 + 3.65 + 0.7296)


def test_an_elastic_address_takes_the_place_of_the_instances_own_and_is_charged_once() -> None:
    resources = {
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"MapPublicIpOnLaunch": True}},
        "Nat": {
            "Type": "AWS::EC2::Instance",
            "Properties": {"InstanceType": "t4g.micro", "SubnetId": {"Ref": "Subnet"}},
        },
    }
    # 730 x 0.0104 and one address, with the elastic one and without
    assert bill(resources, region=SEOUL).floor == pytest.approx(7.592 + 3.65)
    elastic = {"Type": "AWS::EC2::EIP", "Properties": {"InstanceId": {"Ref": "Nat"}}}
    assert bill(resources | {"Address": elastic}, region=SEOUL).floor == pytest.approx(7.592 + 3.65)


def test_an_instance_type_without_a_price_is_said_to_be_unknown() -> None:
    instance = {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": "t4g.nano"}}
    hours, volume = bill({"Nat": instance}, region=SEOUL).unknown
    assert hours.why == "no source for the price of instance-t4g.nano-hour in ap-northeast-2"
    assert volume.why == "the size of a volume is its image's, where the template gives none (VolumeSize)"


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ({"Fn::ImportValue": "type"}, "import of type: no template here exports it"),
        ({"Fn::Sub": "${Other}.large"}, "its type is decided at deployment"),
        (None, "its type is decided at deployment"),
    ],
)
def test_an_instance_whose_type_is_not_known_says_why(kind: Any, why: str) -> None:
    mappings = {"Fn::ImportValue": "volumes"}
    instance = {
        "Type": "AWS::EC2::Instance",
        "Properties": {"InstanceType": kind, "BlockDeviceMappings": mappings},
    }
    hours, volume = bill({"Nat": instance, "Other": {"Type": "AWS::SQS::Queue"}}, region=SEOUL).unknown
    assert (hours.item, hours.why) == ("instance-hour", why)
    assert volume.why == "import of volumes: no template here exports it"


def proxied(**instance: Any) -> dict[str, Any]:
    return {
        "Proxy": {"Type": "AWS::RDS::DBProxy"},
        "Targets": {
            "Type": "AWS::RDS::DBProxyTargetGroup",
            "Properties": {"DBProxyName": {"Ref": "Proxy"}, "DBInstanceIdentifiers": [{"Ref": "Db"}]},
        },
        "Db": {"Type": "AWS::RDS::DBInstance", "Properties": instance},
    }


@pytest.mark.parametrize(
    ("kind", "monthly"),
    [("db.t4g.micro", 26.28), ("db.m7g.large", 26.28), ("db.r6g.xlarge", 52.56), ("db.r6g.4xlarge", 210.24)],
)
def test_a_proxy_is_charged_by_its_databases_vcpus_and_for_two_at_least(kind: str, monthly: float) -> None:
    # 0.018 x 730 = 13.14 a vCPU
    assert bill(proxied(DBInstanceClass=kind), region=SEOUL).floor == pytest.approx(monthly)


def test_a_proxy_of_a_serverless_cluster_is_charged_for_eight_units_at_least() -> None:
    resources = {
        "Proxy": {"Type": "AWS::RDS::DBProxy"},
        "Targets": {
            "Type": "AWS::RDS::DBProxyTargetGroup",
            "Properties": {"DBProxyName": {"Ref": "Proxy"}, "DBClusterIdentifiers": [{"Ref": "Cluster"}]},
        },
        "Cluster": {
            "Type": "AWS::RDS::DBCluster",
            "Properties": {"ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 16}},
        },
        "Writer": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {"DBClusterIdentifier": {"Ref": "Cluster"}, "DBInstanceClass": "db.serverless"},
        },
    }
    # 8 x 0.025 x 730 = 146; 20 x 0.025 x 730 = 365
    assert bill(resources, region=SEOUL).floor == pytest.approx(146.0)
    assert bill(resources, {"proxies": {"Proxy": {"acus": 20}}}, region=SEOUL).floor == pytest.approx(365.0)


def test_a_proxy_whose_database_is_elsewhere_or_of_an_odd_class_is_unknown() -> None:
    alone = bill({"Proxy": {"Type": "AWS::RDS::DBProxy"}}, region=SEOUL)
    odd = bill(proxied(DBInstanceClass="db.x9.metal"), region=SEOUL)
    assert [line.why for line in alone.unknown] == ["its database is not in the templates"]
    assert [line.why for line in odd.unknown] == ["a database class whose vCPUs are not known"]


def test_secrets_and_keys_cost_by_the_month_and_the_call() -> None:
    resources = {"Secret": {"Type": "AWS::SecretsManager::Secret"}, "Key": {"Type": "AWS::KMS::Key"}}
    workload = {"secrets": {"Secret": {"calls": 100_000}}, "keys": {"Key": {"requests": 1_000_000}}}
    found = bill(resources, workload, region=SEOUL)
    # 0.40 + 10 x 0.05; 1.00 + 100 x 0.03
    assert amounts(found, "Secret") == {"secret": pytest.approx(0.40), "calls": pytest.approx(0.50)}
    assert amounts(found, "Key") == {"key": pytest.approx(1.00), "requests": pytest.approx(3.00)}
    assert found.floor == pytest.approx(1.40)


@pytest.mark.parametrize(("size_kb", "chunks"), [(1, 1), (64, 1), (65, 2), (256, 4), (1024, 16)])
def test_each_64_kb_of_a_message_is_one_request(size_kb: float, chunks: int) -> None:
    resources = {"Queue": {"Type": "AWS::SQS::Queue"}}
    workload = {"free_tier": False, "queues": {"Queue": {"messages": 1_000_000, "size_kb": size_kb}}}
    # send, receive, delete: 3 x 0.40
    assert bill(resources, workload).monthly == pytest.approx(1.20 * chunks)


def test_the_free_requests_of_sqs_are_shared_by_both_kinds_of_queues() -> None:
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Fifo": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}},
    }
    workload = {"queues": {"*": {"messages": 1_000_000, "requests_per_message": 1}}}
    # 2,000,000 requests, 1,000,000 of them free: 0.5 x 0.40 + 0.5 x 0.50
    assert bill(resources, workload).monthly == pytest.approx(0.45)


def test_topics_are_charged_for_publishes_and_deliveries_outside_of_aws() -> None:
    resources = {"Topic": {"Type": "AWS::SNS::Topic"}}
    workload = {
        "topics": {"Topic": {"messages": 2_000_000, "http_deliveries": 1_000_000, "email_deliveries": 1000}}
    }
    # 2 x 0.50; 0.60; 1,000 / 100,000 x 2.00
    assert bill(resources, workload).monthly == pytest.approx(1.00 + 0.60 + 0.02)


def test_an_alarm_is_charged_for_each_metric_that_it_reads() -> None:
    def stat(name: str) -> dict[str, Any]:
        return {"Id": name, "MetricStat": {"Metric": {"MetricName": name}, "Period": 60, "Stat": "Sum"}}

    resources = {
        "Plain": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
        "Math": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"Metrics": [{"Id": "e", "Expression": "a/b"}, stat("a"), stat("b")]},
        },
        "Both": {"Type": "AWS::CloudWatch::CompositeAlarm"},
    }
    assert bill(resources, region=SEOUL).floor == pytest.approx(0.10 + 0.20 + 0.50)


def test_what_deployment_decides_is_unknown_with_its_reason_and_costs_nothing_unless_it_runs() -> None:
    template = {
        "Parameters": {"Memory": {"Type": "Number"}},
        "Resources": {"Fn": function(MemorySize={"Ref": "Memory"})},
    }
    (deployment,) = from_templates({"Shop": template}).deployments()
    idle = estimate(deployment, parse_workload({}), PriceSheet(VIRGINIA))
    busy = estimate(deployment, parse_workload(load(invocations=10, duration_ms=10)), PriceSheet(VIRGINIA))
    assert idle.unknown == ()
    assert [line.what for line in busy.unknown] == ["duration"]
    assert "Memory" in (busy.unknown[0].why or "")


def test_a_stack_without_anything_that_costs_is_free_and_nothing_dominates() -> None:
    found = bill({"Role": {"Type": "AWS::IAM::Role"}})
    assert (found.monthly, found.floor, found.dominant(), found.unknown) == (0, 0, None, ())


def test_types_that_cost_and_are_not_modelled_are_named() -> None:
    found = bill({"Db": {"Type": "AWS::RDS::DBInstance"}, "B": {"Type": "AWS::S3::Bucket"}, "Fn": FUNCTION})
    assert found.unpriced == {"AWS::RDS::DBInstance": 1, "AWS::S3::Bucket": 1}
    assert found.silent == ("Fn",)


def test_the_users_price_of_an_unknown_item_makes_the_bill_complete() -> None:
    resources = {"Queue": {"Type": "AWS::SQS::Queue"}}
    workload = {"free_tier": False, "queues": {"Queue": {"messages": 1_000_000}}}
    assert bill(resources, workload, region=SEOUL).unknown
    found = bill(resources, workload, region=SEOUL, sqs_standard_requests=0.40)
    assert not found.unknown
    assert found.monthly == pytest.approx(1.20)
