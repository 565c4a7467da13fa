"""Every intrinsic function, followed as far as it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.deployment import Settings
from lambda_patterns.model.values import Reference, Text, Unknown, Zone, same

if TYPE_CHECKING:
    from lambda_patterns.model.deployment import Deployment

REGION = Unknown("AWS::Region is known at deployment", "AWS::Region")
SECTIONS: dict[str, Any] = {
    "Parameters": {
        "Name": {"Type": "String", "Default": "orders"},
        "Size": {"Type": "Number", "Default": "128"},
        "Vpc": {"Type": "AWS::EC2::VPC::Id"},
        "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>", "Default": "subnet-1, subnet-2"},
        "Words": {"Type": "CommaDelimitedList", "Default": "a,b,c"},
        "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/aws/image"},
    },
    "Mappings": {"Ports": {"mysql": {"port": 3306}, "postgres": {"port": 5432, "list": ["x", "y"]}}},
}


def deployed(value: Any, *, region: str | None = None, **more: Any) -> Deployment:
    resources = {
        "It": {"Type": "Custom::It", "Properties": {"Value": value}},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Vpc1": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Net1": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc1"},
                "AvailabilityZone": {"Fn::Select": [1, {"Fn::GetAZs": ""}]},
            },
        },
        **more.pop("resources", {}),
    }
    assembly = from_templates({"t": {**SECTIONS, "Resources": resources, **more}})
    (deployment,) = assembly.deployments(Settings(region=region))
    return deployment


def value_of(value: Any, **more: Any) -> Any:
    it = deployed(value, **more).find("It")
    assert it is not None
    return it.get("Value")


@pytest.mark.parametrize(
    ("written", "followed"),
    [
        ({"Ref": "Name"}, "orders"),
        ({"Ref": "Subnets"}, ["subnet-1", "subnet-2"]),
        ({"Ref": "Words"}, ["a", "b", "c"]),
        ({"Fn::Sub": "${Name}-queue"}, "orders-queue"),
        ({"Fn::Sub": "${!Literal}-${Name}"}, "${Literal}-orders"),
        ({"Fn::Sub": ["${x}/${Name}", {"x": {"Ref": "Size"}}]}, "128/orders"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 1, True]]}, "a-orders-1-true"),
        ({"Fn::Join": ["", []]}, ""),
        ({"Fn::Join": [",", {"Ref": "Words"}]}, "a,b,c"),
        ({"Fn::Split": ["/", "a/b/c"]}, ["a", "b", "c"]),
        ({"Fn::Select": [1, {"Ref": "Words"}]}, "b"),
        ({"Fn::Select": ["2", ["x", "y", "z"]]}, "z"),
        ({"Fn::Select": [1, {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
        ({"Fn::FindInMap": ["Ports", "mysql", "port"]}, 3306),
        ({"Fn::FindInMap": ["Ports", "postgres", "list"]}, ["x", "y"]),
        ({"Fn::FindInMap": ["Ports", "oracle", "port", {"DefaultValue": 1521}]}, 1521),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::Length": [1, 2, 3]}, 3),
        ({"Fn::ToJsonString": {"a": {"Ref": "Name"}}}, '{"a":"orders"}'),
        ({"Fn::Cidr": ["10.0.0.0/16", 3, 8]}, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ({"Fn::Select": [2, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc1", "CidrBlock"]}, "4", "8"]}]}, "10.0.2.0/24"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ([1, {"Ref": "AWS::NoValue"}, 2], [1, 2]),
        ({"Fn::If": ["Yes", "y", "n"]}, "y"),
        ({"Fn::If": ["No", "y", "n"]}, "n"),
    ],
)
def test_what_is_known_is_followed_to_plain_json(written: Any, followed: Any) -> None:
    conditions = {"Yes": {"Fn::Equals": ["a", "a"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}}
    assert value_of(written, Conditions=conditions) == followed


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({"Ref": "Vpc"}, "parameter Vpc of t has no default"),
        ({"Ref": "Image"}, "parameter Image of t is read from Parameter Store"),
        ({"Ref": "Missing"}, "t has nothing named Missing"),
        ({"Fn::GetAtt": ["Missing", "Arn"]}, "t has nothing named Missing"),
        ({"Fn::FindInMap": ["Ports", "db2", "port"]}, "the mappings have no Ports.db2.port"),
        ({"Fn::FindInMap": ["Ports", {"Ref": "Vpc"}, "port"]}, "parameter Vpc of t has no default"),
        ({"Fn::ImportValue": "Elsewhere"}, "import of Elsewhere: no template here exports it"),
        ({"Fn::If": ["Missing", 1, 2]}, "condition Missing is not decided"),
        ({"Fn::Transform": {"Name": "Mine"}}, "a macro decides the value"),
        ({"Fn::Contains": [["a"], "a"]}, "Fn::Contains is decided at deployment"),
        ({"Fn::Select": [9, ["a"]]}, "there is no element 9 of 1"),
        ("{{resolve:ssm:/name}}", "{{resolve:ssm:/name}} is read at deployment"),
        ({"Fn::Join": ["x"]}, "Fn::Join is not written as it must be"),
        ({"Ref": ["Name"]}, "Ref is not written as it must be"),
        ({"Fn::Cidr": ["10.0.0.0/33", 1]}, "Fn::Cidr is not written as it must be"),
        ({"Fn::Cidr": ["10.0.0.0/16"]}, "Fn::Cidr is not written as it must be"),
        ({"Fn::Cidr": [{"Ref": "Vpc"}, 1]}, "the blocks that Fn::Cidr computes are known at deployment"),
        (
            {"Fn::Cidr": ["10.0.0.0/16", {"Ref": "Vpc"}]},
            "the blocks that Fn::Cidr computes are known at deployment",
        ),
        (
            {"Fn::Cidr": ["10.0.0.0/16", 1, {"Ref": "Vpc"}]},
            "the blocks that Fn::Cidr computes are known at deployment",
        ),
        ({"Fn::GetAtt": ["Queue"]}, "Fn::GetAtt is not written as it must be"),
        (
            {"Fn::GetAtt": ["Queue", {"Ref": "Vpc"}]},
            "the attribute that Fn::GetAtt names is known at deployment",
        ),
        ({"Fn::Sub": ["a", "b", "c"]}, "Fn::Sub is not written as it must be"),
        ({"Fn::Sub": ["${x}", ["x"]]}, "Fn::Sub is not written as it must be"),
        ({"Fn::Join": ["", {"Fn::Sub": "${Queue}"}]}, "the list that Fn::Join joins is known at deployment"),
        ({"Fn::Join": ["", {"Ref": "Vpc"}]}, "parameter Vpc of t has no default"),
        ({"Fn::Split": ["/"]}, "Fn::Split is not written as it must be"),
        ({"Fn::Split": ["", "a/b"]}, "Fn::Split is not written as it must be"),
        ({"Fn::Split": ["/", {"Ref": "Vpc"}]}, "the text that Fn::Split splits is known at deployment"),
        ({"Fn::Select": [1]}, "Fn::Select is not written as it must be"),
        ({"Fn::Select": [-1, ["a"]]}, "the index of Fn::Select is no number, or known at deployment"),
        (
            {"Fn::Select": [{"Ref": "Vpc"}, ["a"]]},
            "the index of Fn::Select is no number, or known at deployment",
        ),
        ({"Fn::Select": [1, ["a"]]}, "there is no element 1 of 1"),
        ({"Fn::Select": [0, {"Ref": "Vpc"}]}, "element 0: parameter Vpc of t has no default"),
        ({"Fn::Select": [0, "a"]}, "element 0 of a list that is known at deployment"),
        ({"Fn::FindInMap": ["Ports", "mysql"]}, "Fn::FindInMap is not written as it must be"),
        ({"Fn::FindInMap": ["Ports", ["mysql"], "port"]}, "Fn::FindInMap is not written as it must be"),
        ({"Fn::If": ["Missing", 1]}, "Fn::If is not written as it must be"),
        ({"Fn::ImportValue": {"Ref": "Vpc"}}, "the name of the import is known at deployment"),
        ({"Fn::GetStackOutput": "x"}, "Fn::GetStackOutput is not written as it must be"),
        (
            {"Fn::GetStackOutput": {"StackName": "x"}},
            "the stack that Fn::GetStackOutput reads is known at deployment",
        ),
        ({"Fn::Base64": {"Ref": "Vpc"}}, "the encoded text is known at deployment"),
        ({"Fn::Length": "a"}, "the length of a list that is known at deployment"),
        ({"Fn::ToJsonString": {"a": {"Ref": "Vpc"}}}, "the JSON text contains what is known at deployment"),
        ({"Fn::GetAZs": ""}, "the zones of a Region are known at deployment"),
    ],
)
def test_what_is_not_known_says_what_decides_it(written: Any, why: str) -> None:
    found = value_of(written)
    assert isinstance(found, Unknown)
    assert found.why == why


@pytest.mark.parametrize("written", [{"Ref": "Off"}, {"Fn::GetAtt": ["Off", "Arn"]}, {"Fn::Sub": "${Off}"}])
def test_what_a_condition_leaves_out_does_not_exist_under_it(written: Any) -> None:
    off = {"Off": {"Type": "AWS::SQS::Queue", "Condition": "No"}}
    found = value_of(written, resources=off, Conditions={"No": {"Fn::Equals": ["a", "b"]}})
    assert found == Unknown("Off does not exist under these conditions")


@pytest.mark.parametrize(
    ("kind", "attribute", "name"),
    [
        ("EC2::VPC", "CidrBlock", "CidrBlock"),
        ("EC2::Subnet", "AvailabilityZone", "AvailabilityZone"),
        ("EC2::Subnet", "CidrBlock", "CidrBlock"),
        ("EC2::Subnet", "VpcId", "VpcId"),
        ("EC2::SecurityGroup", "VpcId", "VpcId"),
        ("RDS::DBInstance", "Endpoint.Port", "Port"),
        ("RDS::DBCluster", "Endpoint.Port", "Port"),
        ("RDS::DBProxy", "VpcId", "VpcId"),
        ("SQS::Queue", "QueueName", "QueueName"),
        ("SNS::Topic", "TopicName", "TopicName"),
    ],
)
def test_an_attribute_that_repeats_a_property_is_its_value_where_it_is_written(
    kind: str, attribute: str, name: str
) -> None:
    echo = {"Type": f"AWS::{kind}", "Properties": {name: "written"}}
    assert value_of({"Fn::GetAtt": ["Echo", attribute]}, resources={"Echo": echo}) == "written"
    bare = deployed({"Fn::GetAtt": ["Echo", attribute]}, resources={"Echo": {"Type": f"AWS::{kind}"}})
    it, resource = bare.find("It"), bare.find("Echo")
    assert it is not None
    assert resource is not None
    assert it.get("Value") == Reference(resource, attribute)


@pytest.mark.parametrize(
    "written",
    [
        {"Fn::GetAtt": ["Queue", "Arn"]},
        {"Fn::GetAtt": "Queue.Arn"},
        {"Fn::Sub": "${Queue.Arn}"},
        {"Fn::Join": ["", [{"Fn::GetAtt": ["Queue", "Arn"]}]]},
        {"Fn::If": ["Missing", {"Fn::GetAtt": "Queue.Arn"}, {"Fn::Sub": "${Queue.Arn}"}]},
    ],
)
def test_every_way_to_write_an_attribute_is_the_one_reference_to_the_one_resource(written: Any) -> None:
    deployment = deployed(written)
    it, queue = deployment.find("It"), deployment.find("Queue")
    assert it is not None
    assert queue is not None
    assert it.get("Value") == Reference(queue, "Arn")
    assert it.resource("Value") is queue


def test_a_text_keeps_what_is_not_plain_between_joined_strings() -> None:
    found = value_of({"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${Name}:${Queue}"})
    assert isinstance(found, Text)
    assert found.parts[:3] == ("arn:aws:sqs:", REGION, ":orders:")
    assert isinstance(found.parts[3], Reference)


def test_a_dynamic_reference_inside_a_text_is_unknown_up_to_its_end() -> None:
    secret = {
        "Fn::Join": ["", ["user:{{resolve:secretsmanager:", {"Ref": "Queue"}, ":SecretString:u}}@host"]]
    }
    found = value_of(secret)
    assert isinstance(found, Text)
    before, unknown, after = found.parts
    assert (before, after) == ("user:", "@host")
    assert unknown == Unknown("{{resolve:secretsmanager:...:SecretString:u}} is read at deployment")


def test_two_zones_of_one_region_differ_and_one_zone_is_itself() -> None:
    first, again, second = value_of(
        [
            {"Fn::Select": [index, {"Fn::GetAZs": region}]}
            for index, region in ((0, ""), ("0", {"Ref": "AWS::Region"}), (1, ""))
        ]
    )
    assert first == Zone(REGION, 0)
    assert same(first, again) is True
    assert same(first, second) is False


def test_a_zone_is_never_known_to_be_a_written_one() -> None:
    assert same(Zone("eu-west-1", 0), "eu-west-1a") is None
    assert same(Zone("eu-west-1", 0), Zone("eu-central-1", 0)) is None


def test_an_attribute_that_repeats_a_property_is_that_property() -> None:
    assert value_of({"Fn::GetAtt": ["Net1", "AvailabilityZone"]}) == Zone(REGION, 1)
    assert value_of({"Fn::GetAtt": ["Vpc1", "CidrBlock"]}) == "10.0.0.0/16"


def test_a_part_of_a_split_attribute_names_the_attribute_and_the_place() -> None:
    found = value_of({"Fn::Select": [6, {"Fn::Split": [":", {"Fn::GetAtt": ["Queue", "Arn"]}]}]})
    assert isinstance(found, Reference)
    assert found.attribute == "Arn:6"


def test_a_part_of_a_split_text_is_known_before_the_first_unknown_part() -> None:
    text = {"Fn::Sub": "a/b/${Vpc}/c"}
    assert value_of({"Fn::Select": [1, {"Fn::Split": ["/", text]}]}) == "b"
    assert isinstance(value_of({"Fn::Select": [2, {"Fn::Split": ["/", text]}]}), Unknown)


def test_pseudo_parameters_follow_the_settings() -> None:
    pseudo = [{"Ref": f"AWS::{name}"} for name in ("Region", "Partition", "URLSuffix")]
    assert value_of(pseudo, region="cn-north-1") == ["cn-north-1", "aws-cn", "amazonaws.com.cn"]
    assert value_of(pseudo, region="ap-northeast-2") == ["ap-northeast-2", "aws", "amazonaws.com"]


def test_the_unknown_region_of_two_stacks_is_one_region_and_their_parameters_are_two() -> None:
    template = {
        "Parameters": {"P": {"Type": "String"}},
        "Resources": {
            "It": {"Type": "Custom::It", "Properties": {"R": {"Ref": "AWS::Region"}, "P": {"Ref": "P"}}}
        },
    }
    (deployment,) = from_templates({"one": template, "two": template}).deployments()
    one, two = deployment.of_type("Custom::It")
    assert same(one.get("R"), two.get("R")) is True
    assert same(one.get("P"), two.get("P")) is None


def test_a_value_that_is_decided_by_an_unknown_condition_is_no_other_such_value() -> None:
    found = value_of([{"Fn::If": ["Missing", 1, 2]}, {"Fn::If": ["Missing", 1, 3]}])
    assert same(found[0], found[1]) is None


def test_properties_that_refer_to_each_other_end_in_unknown() -> None:
    resources = {
        "A": {"Type": "AWS::EC2::Subnet", "Properties": {"CidrBlock": {"Fn::GetAtt": ["B", "CidrBlock"]}}},
        "B": {"Type": "AWS::EC2::Subnet", "Properties": {"CidrBlock": {"Fn::GetAtt": ["A", "CidrBlock"]}}},
    }
    assert value_of({"Fn::GetAtt": ["A", "CidrBlock"]}, resources=resources) == Unknown(
        "the value refers to itself"
    )


def test_an_endless_chain_of_attributes_ends_in_unknown() -> None:
    chain: dict[str, Any] = {
        f"S{index}": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"CidrBlock": {"Fn::GetAtt": [f"S{index + 1}", "CidrBlock"]}},
        }
        for index in range(3000)
    }
    assert isinstance(value_of({"Fn::GetAtt": ["S0", "CidrBlock"]}, resources=chain), Unknown)


def test_what_has_no_function_is_not_copied() -> None:
    raw = {"a": [1, {"b": "c"}]}
    assert value_of(raw) is raw


def test_the_written_template_is_left_as_it_was() -> None:
    raw = {"a": {"Ref": "Name"}, "b": [{"Ref": "AWS::NoValue"}]}
    assert value_of(raw) == {"a": "orders", "b": []}
    assert raw == {"a": {"Ref": "Name"}, "b": [{"Ref": "AWS::NoValue"}]}


LOOP = {
    "Fn::ForEach::Queues": [
        "Name",
        {"Ref": "Words"},
        {
            "Queue${Name}": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"QueueName": {"Fn::Sub": "q-${Name}"}, "Tag": {"Ref": "Name"}},
            }
        },
    ]
}


def test_a_loop_is_written_out() -> None:
    template = {**SECTIONS, "Transform": "AWS::LanguageExtensions", "Resources": LOOP}
    (deployment,) = from_templates({"t": template}).deployments()
    found = {queue.id: queue.properties for queue in deployment.of_type("AWS::SQS::Queue")}
    assert found == {f"Queue{name}": {"QueueName": f"q-{name}", "Tag": name} for name in "abc"}
    assert deployment.incomplete == ""


def test_a_loop_over_what_is_not_known_leaves_the_deployment_incomplete() -> None:
    loop = {
        "Fn::ForEach::Queues": ["Name", {"Ref": "Unknown"}, {"Queue${Name}": {"Type": "AWS::SQS::Queue"}}]
    }
    template = {"Transform": "AWS::LanguageExtensions", "Resources": loop}
    (deployment,) = from_templates({"t": template}).deployments()
    assert deployment.resources == ()
    assert deployment.incomplete == "the macro in Resources may change t"
