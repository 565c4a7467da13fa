"""The limits of a function, on both sides of each boundary, with the exact message."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lambda_patterns.model.assembly import from_templates, read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules.catalogue import select
from lambda_patterns.rules.engine import check

Judge = Callable[..., list[tuple[str, str]]]
Write = Callable[..., dict[str, Any]]
DAY = date(2026, 11, 24)
MANAGED = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": "arn:aws:lambda:::x"}}


@pytest.mark.parametrize(
    ("rule", "properties", "message"),
    [
        ("memory-out-of-range", {"MemorySize": 127}, "memory is 127 MB, allowed are 128-10,240 MB"),
        ("memory-out-of-range", {"MemorySize": 128}, None),
        ("memory-out-of-range", {"MemorySize": "10240"}, None),
        ("memory-out-of-range", {"MemorySize": "10241"}, "memory is 10,241 MB, allowed are 128-10,240 MB"),
        (
            "memory-out-of-range",
            {"MemorySize": 128.5},
            "memory is 128.5 MB, allowed are 128-10,240 MB, whole numbers only",
        ),
        ("memory-out-of-range", {"MemorySize": "1 GB"}, "memory is '1 GB', allowed are 128-10,240 MB"),
        ("memory-out-of-range", {"MemorySize": 20480, "CapacityProviderConfig": MANAGED}, None),
        (
            "memory-out-of-range",
            {"MemorySize": 32769, "CapacityProviderConfig": MANAGED},
            "memory on a capacity provider is 32,769 MB, allowed are 128-32,768 MB",
        ),
        ("timeout-out-of-range", {"Timeout": 900}, None),
        ("timeout-out-of-range", {"Timeout": 901}, "timeout is 901 s, allowed are 1-900 s"),
        ("timeout-out-of-range", {"Timeout": 0}, "timeout is 0 s, allowed are 1-900 s"),
        ("timeout-out-of-range", {"Timeout": 5400, "CapacityProviderConfig": MANAGED}, None),
        (
            "ephemeral-storage-out-of-range",
            {"EphemeralStorage": {"Size": 511}},
            "ephemeral storage is 511 MB, allowed are 512-10,240 MB",
        ),
        ("ephemeral-storage-out-of-range", {"EphemeralStorage": {"Size": 10240}}, None),
        (
            "ephemeral-storage-out-of-range",
            {"EphemeralStorage": {"Size": 20480}, "AcceleratorConfig": {"Type": "gpu"}},
            None,
        ),
        ("too-many-layers", {"Layers": ["a"] * 5}, None),
        ("too-many-layers", {"Layers": ["a"] * 6}, "layers are 6, allowed are 0-5"),
        ("too-many-vpc-attachments", {"VpcConfig": {"SubnetIds": ["s"] * 16}}, None),
        (
            "too-many-vpc-attachments",
            {"VpcConfig": {"SubnetIds": ["s"] * 17}},
            "subnets are 17, allowed are 1-16",
        ),
        (
            "too-many-vpc-attachments",
            {"VpcConfig": {"SecurityGroupIds": ["g"] * 6}},
            "security groups are 6, allowed are 1-5",
        ),
        ("package-type-mixed", {"PackageType": "Zip"}, None),
        ("runtime-blocked", {"Runtime": "python3.7"}, "python3.7 cannot be created since 2024-01-09"),
        ("runtime-blocked", {"Runtime": "nodejs20"}, "there is no runtime 'nodejs20'"),
        ("runtime-blocked", {"Runtime": "python3.99"}, "there is no runtime 'python3.99'"),
        ("runtime-blocked", {"Runtime": "python3.16"}, None),
        ("runtime-blocked", {"Runtime": "nodejs20.x"}, None),
        ("runtime-deprecated", {"Runtime": "python3.13"}, None),
        (
            "runtime-deprecated",
            {"Runtime": "nodejs22.x"},
            "nodejs22.x is deprecated on 2027-04-30, in 157 days; AWS refuses new functions from 2027-06-01",
        ),
        ("runtime-deprecated", {"Runtime": "python3.11"}, None),
        ("runtime-deprecated", {"Runtime": "python3.7"}, None),
    ],
)
def test_a_setting_is_judged(
    judge: Judge, function: Write, rule: str, properties: dict[str, Any], message: str | None
) -> None:
    found = judge(rule, {"F": function(**properties)})
    assert [text for _, text in found] == ([message] if message else [])


def environment(name: str, size: int, letter: str = "x") -> dict[str, Any]:
    """Variables whose compact JSON has exactly `size` bytes in UTF-8."""
    empty = len(json.dumps({name: ""}, separators=(",", ":")))
    return {"Environment": {"Variables": {name: letter * ((size - empty) // len(letter.encode()))}}}


def test_an_environment_of_4096_bytes_fits_and_of_4097_does_not(judge: Judge, function: Write) -> None:
    rule = "environment-over-4-kb"
    assert judge(rule, {"F": function(**environment("KEY", 4096))}) == []
    assert judge(rule, {"F": function(**environment("KEY", 4097))}) == [
        ("F.Environment.Variables", "environment as compact JSON is 4,097 bytes, allowed are 0-4,096 bytes")
    ]


def test_hangul_counts_three_bytes_a_syllable(judge: Judge, function: Write) -> None:
    rule = "environment-over-4-kb"
    # {"KEY":""} has 10 bytes: 1,362 syllables make 4,096, one more makes 4,099
    fits = {"Environment": {"Variables": {"KEY": "한" * 1362}}}
    over = {"Environment": {"Variables": {"KEY": "한" * 1363}}}
    assert judge(rule, {"F": function(**fits)}) == []
    assert [text for _, text in judge(rule, {"F": function(**over)})] == [
        "environment as compact JSON is 4,099 bytes, allowed are 0-4,096 bytes"
    ]


def test_what_is_known_of_a_variable_counts_whatever_is_not(judge: Judge, function: Write) -> None:
    variables = {"TEXT": {"Fn::Sub": "${Name}" + "x" * 4096}, "OTHER": {"Ref": "Name"}}
    found = judge(
        "environment-over-4-kb",
        {"F": function(Environment={"Variables": variables})},
        Parameters={"Name": {"Type": "String"}},
    )
    assert [text for _, text in found] == [
        "environment as compact JSON is 4,118 bytes, allowed are 0-4,096 bytes"
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("AB", None),
        ("TZ", None),
        ("AWS_LAMBDA_EXEC_WRAPPER", None),
        ("A", "'A' is refused, allowed is a letter, then 1 or more letters, digits or _"),
        ("1ST", "'1ST' is refused, allowed is a letter, then 1 or more letters, digits or _"),
        ("이름", "'이름' is refused, allowed is a letter, then 1 or more letters, digits or _"),
        ("AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_API is reserved"),
        ("_HANDLER", "_HANDLER is reserved"),
    ],
)
def test_an_environment_name_is_judged(judge: Judge, function: Write, name: str, message: str | None) -> None:
    found = judge("environment-name-refused", {"F": function(Environment={"Variables": {name: "v"}})})
    assert found == ([(f"F.Environment.Variables.{name}", message)] if message else [])


def test_a_runtime_is_blocked_from_its_day_on(judge: Judge, function: Write) -> None:
    resources = {"F": function(Runtime="nodejs20.x")}
    assert judge("runtime-blocked", resources, Settings(date(2027, 1, 31))) == []
    assert judge("runtime-blocked", resources, Settings(date(2027, 2, 1))) == [
        ("F.Runtime", "nodejs20.x cannot be created since 2027-02-01")
    ]
    assert judge("runtime-deprecated", resources, Settings(date(2027, 2, 1))) == []


def test_a_runtime_is_nearly_deprecated_180_days_before(judge: Judge, function: Write) -> None:
    resources = {"F": function(Runtime="nodejs22.x")}
    assert judge("runtime-deprecated", resources, Settings(date(2026, 10, 31))) == []
    assert judge("runtime-deprecated", resources, Settings(date(2026, 11, 1))) == [
        (
            "F.Runtime",
            "nodejs22.x is deprecated on 2027-04-30, in 180 days; AWS refuses new functions from 2027-06-01",
        )
    ]


@pytest.mark.parametrize(
    ("properties", "messages"),
    [
        ({}, []),
        ({"Runtime": "java11"}, []),
        (
            {"Runtime": "python3.11"},
            ["SnapStart with python3.11, allowed are Java 11, Python 3.12, .NET 8 and later"],
        ),
        (
            {"Runtime": "java8.al2"},
            ["SnapStart with java8.al2, allowed are Java 11, Python 3.12, .NET 8 and later"],
        ),
        ({"PackageType": "Image"}, ["SnapStart with a container image"]),
        ({"EphemeralStorage": {"Size": 512}}, []),
        (
            {
                "EphemeralStorage": {"Size": 513},
                "FileSystemConfigs": [{"Arn": "a", "LocalMountPath": "/mnt/a"}],
            },
            [
                "SnapStart with 513 MB of ephemeral storage, allowed are at most 512 MB",
                "SnapStart with a mounted file system",
            ],
        ),
    ],
)
def test_what_excludes_snap_start_is_named(
    judge: Judge, function: Write, properties: dict[str, Any], messages: list[str]
) -> None:
    found = judge(
        "snap-start-refused", {"F": function(SnapStart={"ApplyOn": "PublishedVersions"}, **properties)}
    )
    assert sorted(text for _, text in found) == sorted(messages)


@pytest.mark.parametrize(
    ("properties", "messages"),
    [
        (
            {"PackageType": "Image", "Layers": ["a"]},
            [
                "a container image with Code.S3Bucket",
                "a container image with Code.S3Key",
                "a container image with Handler",
                "a container image with Runtime",
                "a container image with layers",
            ],
        ),
        ({"Handler": {"Ref": "AWS::NoValue"}}, ["a zip file without Handler"]),
        ({"Runtime": {"Ref": "AWS::NoValue"}}, ["a zip file without Runtime"]),
        (
            {"Code": {"ImageUri": "x:1"}},
            ["Code.ImageUri with PackageType Zip, which is what is assumed where none is given"],
        ),
    ],
)
def test_what_belongs_to_the_other_package_type_is_named(
    judge: Judge, function: Write, properties: dict[str, Any], messages: list[str]
) -> None:
    assert sorted(text for _, text in judge("package-type-mixed", {"F": function(**properties)})) == messages


def test_inline_code_of_4_mb_fits_and_one_byte_more_does_not(judge: Judge, function: Write) -> None:
    size = 4 * 1024 * 1024
    assert judge("package-too-large", {"F": function(Code={"ZipFile": "x" * size})}) == []
    assert judge("package-too-large", {"F": function(Code={"ZipFile": "x" * (size + 1)})}) == [
        ("F.Code.ZipFile", "inline code is 4,194,305 bytes, allowed are 0-4,194,304 bytes")
    ]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (62_144_000, None),
        (
            62_144_001,
            (
                "unzipped package with its layers is 262,144,001 bytes, allowed are 0-262,144,000 bytes "
                "(code 200,000,000, layers 62,144,001); the largest parts are data 200,000,000"
            ),
        ),
    ],
)
def test_a_package_counts_with_its_layers(
    tmp_path: Path, function: Write, layer: int, message: str | None
) -> None:
    for name, size in (("code", 200_000_000), ("layer", layer)):
        (tmp_path / name).mkdir()
        with (tmp_path / name / "data").open("wb") as file:
            file.truncate(size)
    libraries = {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": "layer"}}
    resources = {"F": function(Code="code", Layers=[{"Ref": "Libraries"}]), "Libraries": libraries}
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"Resources": resources}))
    report = check(read(path), Settings(DAY), select(["package-too-large"]))
    assert [finding.message for finding in report.findings] == ([message] if message else [])


def test_reservations_are_counted_over_stacks_of_one_region(function: Write) -> None:
    half = {"Resources": {"F": function(ReservedConcurrentExecutions=451)}}
    report = check(
        from_templates({"a.yaml": half, "b.yaml": half}), Settings(DAY), select(["concurrency-over-quota"])
    )
    assert [(finding.template, finding.message) for finding in report.findings] == [
        (
            "a.yaml",
            (
                "902 executions are reserved together with 1 other function, allowed are at most 900: "
                "100 of the account's 1,000 have to stay unreserved"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("name", "fix"),
    [("nodejs20", "write nodejs20.x"), ("cobol85", "choose a supported runtime")],
)
def test_a_misspelt_runtime_is_mended_by_the_nearest(function: Write, name: str, fix: str) -> None:
    template = {"Resources": {"F": function(Runtime=name)}}
    (found,) = check(from_templates({"a": template}), Settings(DAY), select(["runtime-blocked"])).findings
    assert found.fix == fix


def test_managed_instances_take_nothing_from_the_accounts_executions(judge: Judge, function: Write) -> None:
    taken = function(ReservedConcurrentExecutions=901)
    assert len(judge("concurrency-over-quota", {"F": taken})) == 1
    managed = function(ReservedConcurrentExecutions=901, CapacityProviderConfig=MANAGED)
    assert judge("concurrency-over-quota", {"F": managed}) == []


def test_a_new_account_can_reserve_nothing_and_has_3008_mb(judge: Judge, function: Write) -> None:
    new = Settings(DAY, "new-account")
    rule = "concurrency-over-quota"
    assert judge(rule, {"F": function(ReservedConcurrentExecutions=0, MemorySize=3008)}, new) == []
    assert judge(rule, {"F": function(ReservedConcurrentExecutions=1, MemorySize=3009)}, new) == [
        (
            "F.ReservedConcurrentExecutions",
            (
                "1 execution is reserved, allowed are at most 0: "
                "10 of the account's 10 have to stay unreserved"
            ),
        ),
        ("F.MemorySize", "memory on a new account is 3,009 MB, allowed are 128-3,008 MB"),
    ]


def test_a_new_account_has_no_word_on_memory_that_is_out_of_range_everywhere_or_on_managed_instances(
    judge: Judge, function: Write
) -> None:
    rule, new = "concurrency-over-quota", Settings(DAY, "new-account")
    assert judge(rule, {"F": function(MemorySize=64)}, new) == []
    assert judge(rule, {"F": function(MemorySize=10241)}, new) == []
    assert judge(rule, {"F": function(MemorySize=20480, CapacityProviderConfig=MANAGED)}, new) == []


def test_a_negative_reservation_is_refused(judge: Judge, function: Write) -> None:
    assert judge("concurrency-over-quota", {"F": function(ReservedConcurrentExecutions=-1)}) == [
        ("F.ReservedConcurrentExecutions", "reserved concurrency is -1, allowed are 0-900 executions")
    ]


def version(amount: int | None = None) -> dict[str, Any]:
    provisioned = (
        {}
        if amount is None
        else {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": amount}}
    )
    return {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}, **provisioned}}


def alias(amount: int) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Alias",
        "Properties": {
            "Name": "live",
            "FunctionName": {"Ref": "F"},
            "FunctionVersion": {"Fn::GetAtt": ["V", "Version"]},
            "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": amount},
        },
    }


def test_provisioned_concurrency_stays_within_the_reservation(judge: Judge, function: Write) -> None:
    rule = "provisioned-concurrency-refused"
    reserving = function(ReservedConcurrentExecutions=10)
    assert judge(rule, {"F": reserving, "V": version(), "A": alias(10)}) == []
    assert [text for _, text in judge(rule, {"F": reserving, "V": version(), "A": alias(11)})] == [
        "11 provisioned executions of F, which reserves 10"
    ]


def scaled(**properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "ServiceNamespace": "lambda",
            "ScalableDimension": "lambda:function:ProvisionedConcurrency",
            "ResourceId": {"Fn::Sub": "function:${F}:live"},
            "MinCapacity": 1,
            "MaxCapacity": 100,
            **properties,
        },
    }


def test_scaled_concurrency_stays_within_the_reservation_at_all_its_times(
    judge: Judge, function: Write
) -> None:
    rule = "provisioned-concurrency-refused"
    reserving = function(ReservedConcurrentExecutions=10)

    def morning(least: int) -> dict[str, Any]:
        return {"Schedule": "cron(0 8 * * ? *)", "ScalableTargetAction": {"MinCapacity": least}}

    assert judge(rule, {"F": reserving, "T": scaled()}) == []
    assert judge(rule, {"F": function(), "T": scaled(MinCapacity=11)}) == []
    assert judge(rule, {"F": reserving, "T": scaled(ScheduledActions=[morning(0), morning(10)])}) == []
    assert judge(rule, {"F": reserving, "T": scaled(ScheduledActions=[morning(0), morning(11)])}) == [
        (
            "T.ScheduledActions.1.ScalableTargetAction.MinCapacity",
            "11 provisioned executions of F, which reserves 10",
        )
    ]
    snap = function(SnapStart={"ApplyOn": "PublishedVersions"})
    assert judge(rule, {"F": snap, "T": scaled()}) == [
        ("T.ResourceId", "scaling of provisioned concurrency on F, which uses SnapStart")
    ]


def test_provisioned_concurrency_needs_one_execution_one_place_and_no_snap_start(
    judge: Judge, function: Write
) -> None:
    rule = "provisioned-concurrency-refused"
    assert [text for _, text in judge(rule, {"F": function(), "V": version(0)})] == [
        "provisioned concurrency is 0, allowed is at least 1 execution"
    ]
    assert [text for _, text in judge(rule, {"F": function(), "V": version(1), "A": alias(1)})] == [
        "provisioned concurrency on the alias and on its version V, allowed is one"
    ]
    snap = function(SnapStart={"ApplyOn": "PublishedVersions"})
    assert [text for _, text in judge(rule, {"F": snap, "V": version(1)})] == [
        "provisioned concurrency on F, which uses SnapStart"
    ]


QUEUE = {"Type": "AWS::SQS::Queue"}
FIFO = {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}}


@pytest.mark.parametrize(
    ("source", "settings", "messages"),
    [
        (QUEUE, {"BatchSize": 10}, []),
        (QUEUE, {"BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}, []),
        (
            QUEUE,
            {"BatchSize": 11},
            ["a batch size of 11 messages without a batch window, allowed are 1-10 messages"],
        ),
        (
            QUEUE,
            {"BatchSize": 10001, "MaximumBatchingWindowInSeconds": 1},
            ["batch size is 10,001 records, allowed are 1-10,000 records"],
        ),
        (FIFO, {"BatchSize": 10}, []),
        (FIFO, {"BatchSize": 11}, ["batch size of a FIFO queue is 11 messages, allowed are 1-10 messages"]),
        (
            FIFO,
            {"MaximumBatchingWindowInSeconds": 5},
            ["a batch window of 5 s on a FIFO queue, allowed is none"],
        ),
        (QUEUE, {"MaximumBatchingWindowInSeconds": 301}, ["batch window is 301 s, allowed are 0-300 s"]),
        (QUEUE, {"ScalingConfig": {"MaximumConcurrency": 2}}, []),
        (
            QUEUE,
            {"ScalingConfig": {"MaximumConcurrency": 1}},
            ["maximum concurrency is 1 executions, allowed are 2-1,000 executions"],
        ),
        (
            QUEUE,
            {"ScalingConfig": {"MaximumConcurrency": 5}, "ProvisionedPollerConfig": {"MinimumPollers": 2}},
            ["maximum concurrency together with provisioned pollers, allowed is one of them"],
        ),
        (
            QUEUE,
            {"ProvisionedPollerConfig": {"MinimumPollers": 1}},
            ["minimum pollers of an SQS queue is 1 pollers, allowed are 2-200 pollers"],
        ),
        (
            QUEUE,
            {"ProvisionedPollerConfig": {"MinimumPollers": 20, "MaximumPollers": 10}},
            ["at least 20 pollers and at most 10"],
        ),
        (QUEUE, {"ProvisionedPollerConfig": {"MinimumPollers": 20, "MaximumPollers": 20}}, []),
        (
            QUEUE,
            {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:eu-west-1:111122223333:f"}}},
            ["an on-failure destination on an SQS queue, allowed are Kinesis, DynamoDB and Kafka"],
        ),
        (
            "arn:aws:sqs:eu-west-1:111122223333:a.fifo",
            {"BatchSize": 11},
            ["batch size of a FIFO queue is 11 messages, allowed are 1-10 messages"],
        ),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/s", {"MaximumRecordAgeInSeconds": 60}, []),
        (
            "arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/s",
            {"MaximumRecordAgeInSeconds": 59},
            ["record age is 59 s, allowed are 60-604,800 s, or -1 for no limit"],
        ),
        (
            "arn:aws:kinesis:eu-west-1:111122223333:stream/s",
            {"ParallelizationFactor": 11},
            ["parallelization factor is 11 batches, allowed are 1-10 batches"],
        ),
        (
            "arn:aws:kinesis:eu-west-1:111122223333:stream/s",
            {"ScalingConfig": {"MaximumConcurrency": 5}},
            ["maximum concurrency on a kinesis source, allowed are SQS queues"],
        ),
    ],
)
def test_an_event_source_setting_is_judged(
    judge: Judge, function: Write, source: dict[str, Any] | str, settings: dict[str, Any], messages: list[str]
) -> None:
    arn = source if isinstance(source, str) else {"Fn::GetAtt": ["Queue", "Arn"]}
    resources = {
        "F": function(),
        "Queue": source if isinstance(source, dict) else QUEUE,
        "M": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"FunctionName": {"Ref": "F"}, "EventSourceArn": arn, **settings},
        },
    }
    assert [text for _, text in judge("event-source-settings-refused", resources)] == messages


@pytest.mark.parametrize(
    ("settings", "messages"),
    [
        ({"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21600}, []),
        ({"MaximumRetryAttempts": -1}, ["retries are -1, allowed are 0-2"]),
        ({"MaximumEventAgeInSeconds": 59}, ["event age is 59 s, allowed are 60-21,600 s"]),
        ({"MaximumEventAgeInSeconds": 21601}, ["event age is 21,601 s, allowed are 60-21,600 s"]),
    ],
)
def test_an_asynchronous_setting_is_judged(
    judge: Judge, function: Write, settings: dict[str, Any], messages: list[str]
) -> None:
    config = {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {"FunctionName": {"Ref": "F"}, "Qualifier": "$LATEST", **settings},
    }
    found = judge("asynchronous-settings-out-of-range", {"F": function(), "C": config})
    assert [text for _, text in found] == messages
