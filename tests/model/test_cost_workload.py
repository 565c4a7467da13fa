from pathlib import Path
from typing import Any

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.facts.prices import PriceSheet
from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.cost import estimate, parse_workload, read_prices, read_workload
from lambda_patterns.model.cost.estimate import region_of
from lambda_patterns.model.cost.loads import FunctionLoad
from lambda_patterns.model.cost.workload import check_names
from lambda_patterns.model.deployment import Deployment

FUNCTION = {"Type": "AWS::Lambda::Function"}


def deployed(**stacks: dict[str, Any]) -> Deployment:
    templates = {name: {"Resources": resources} for name, resources in stacks.items()}
    (deployment,) = from_templates(templates).deployments()
    return deployment


def test_a_workload_is_read_with_yaml_numbers_as_people_write_them(tmp_path: Path) -> None:
    file = tmp_path / "workload.yaml"
    file.write_text(
        "functions: {Fn: {invocations: 3_000_000, duration_ms: 1.5e2, log_kb: 1e1}}", encoding="utf-8"
    )
    assert read_workload(file).loads["functions"]["Fn"] == FunctionLoad(
        invocations=3_000_000, duration_ms=150, log_kb=10
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1], "workload is [1], allowed is a mapping of names"),
        ({1: {}}, "workload is {1: {}}, allowed is a mapping of names"),
        ({"function": {}}, "workload: there is no 'function': did you mean 'functions'?"),
        (
            {"functions": {"Fn": {"invocation": 1}}},
            "workload: functions.Fn: there is no 'invocation': did you mean 'invocations'?",
        ),
        (
            {"functions": {"Fn": {"invocations": -5}}},
            (
                "workload: functions.Fn: invocations is -5 a month, allowed are 0-1,000,000,000,000 a month: "
                "it is a quantity of one month"
            ),
        ),
        (
            {"functions": {"Fn": {"invocations": "many"}}},
            (
                "workload: functions.Fn: invocations is 'many', allowed are 0-1,000,000,000,000 a month: "
                "it is a quantity of one month"
            ),
        ),
        (
            {"functions": {"Fn": {"invocations": True}}},
            (
                "workload: functions.Fn: invocations is True, allowed are 0-1,000,000,000,000 a month: "
                "it is a quantity of one month"
            ),
        ),
        (
            {"functions": {"Fn": {"cold_starts": 1.5}}},
            (
                "workload: functions.Fn: cold_starts is 1.5 of the invocations, "
                "allowed are 0-1 of the invocations: "
                "it is a quantity of one month"
            ),
        ),
        ({"region": 3}, "workload: region is 3, allowed is the name of a Region"),
        ({"free_tier": "no"}, "workload: free_tier is 'no', allowed are true and false"),
        (
            {"savings_plan": {"plan": "partial"}},
            "workload: savings_plan.plan is 'partial', allowed are no-upfront and all-upfront",
        ),
        (
            {"paths": {"zones": 0}},
            "workload: paths: zones are 0, allowed are 1-6: no Region has more",
        ),
        (
            {"paths": {"instance": "big"}},
            "workload: paths: instance is 'big', allowed is a type like 't4g.micro'",
        ),
    ],
)
def test_what_makes_no_sense_is_one_line_that_names_the_place(data: object, message: str) -> None:
    with pytest.raises(LambdaPatternsError) as refused:
        parse_workload(data)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "{file} is no YAML: while parsing a flow node"),
        ("[" * 5000, "{file} is nested too deep to be read"),
        ("functions: {Fn: {}}\nfunctions: {}", "{file}: 'functions' is given twice in the mapping of line 1"),
    ],
)
def test_a_file_that_is_no_yaml_or_says_a_thing_twice_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "workload.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LambdaPatternsError) as refused:
        read_workload(file)
    assert str(refused.value).startswith(message.format(file=file))


def test_an_empty_file_is_a_month_without_traffic(tmp_path: Path) -> None:
    file = tmp_path / "workload.yaml"
    file.write_text("", encoding="utf-8")
    assert not any(read_workload(file).loads.values())


def test_the_users_prices_are_read_and_a_misspelt_item_is_refused_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("mars-west-1: {nat-gateway-hour: 1, instance-m7g.large-hour: 0.1}", encoding="utf-8")
    assert read_prices(file) == {"mars-west-1": {"nat-gateway-hour": 1.0, "instance-m7g.large-hour": 0.1}}
    file.write_text("mars-west-1: {nat-gatway-hour: 1}", encoding="utf-8")
    with pytest.raises(LambdaPatternsError) as refused:
        read_prices(file)
    assert str(refused.value) == (
        f"{file}: mars-west-1: there is no 'nat-gatway-hour': did you mean 'nat-gateway-hour'?"
    )


@pytest.mark.parametrize("name", ["Fn", "Shop/Fn", "Shop/Orders/Function", "F*", "Shop/*"])
def test_a_resource_is_named_by_its_id_its_stack_or_its_construct_path(name: str) -> None:
    resource = FUNCTION | {"Metadata": {"aws:cdk:path": "Shop/Orders/Function/Resource"}}
    deployment = deployed(Shop={"Fn": resource})
    workload = parse_workload({"functions": {name: {"invocations": 10}}})
    check_names(workload, [deployment])
    assert estimate(deployment, workload, PriceSheet("us-east-1")).silent == ()


def test_a_name_that_stands_for_nothing_is_refused_with_the_nearest() -> None:
    deployment = deployed(Shop={"Orders": FUNCTION, "Queue": {"Type": "AWS::SQS::Queue"}})
    with pytest.raises(LambdaPatternsError) as refused:
        check_names(parse_workload({"functions": {"Order": {}}}), [deployment])
    assert str(refused.value) == "workload: functions: there is no 'Order': did you mean 'Orders'?"
    with pytest.raises(LambdaPatternsError) as refused:
        check_names(parse_workload({"functions": {"Queue": {}}}), [deployment])
    assert str(refused.value) == "workload: functions: there is no 'Queue': known are Orders"


def test_a_name_that_stands_for_two_resources_wants_a_stack_or_a_wildcard() -> None:
    deployment = deployed(A={"Fn": FUNCTION}, B={"Fn": FUNCTION})
    sheet = PriceSheet("us-east-1")
    with pytest.raises(LambdaPatternsError) as refused:
        estimate(deployment, parse_workload({"functions": {"Fn": {}}}), sheet)
    assert str(refused.value) == "workload: functions.Fn stands for 2 resources: write one of A/Fn, B/Fn"
    estimate(deployment, parse_workload({"functions": {"A/Fn": {}, "B/*": {}}}), sheet)


def test_two_names_for_one_resource_are_refused() -> None:
    with pytest.raises(LambdaPatternsError) as refused:
        estimate(
            deployed(Shop={"Fn": FUNCTION}),
            parse_workload({"functions": {"Fn": {}, "*": {}}}),
            PriceSheet("us-east-1"),
        )
    assert str(refused.value) == "workload: functions.* names Fn, which Fn names too"


def test_the_region_is_the_one_given_then_the_workloads_then_the_stacks() -> None:
    deployment = deployed(Shop={"Fn": FUNCTION})
    assert region_of([deployment], parse_workload({"region": "a"}), "b") == "b"
    assert region_of([deployment], parse_workload({"region": "a"}), None) == "a"
    with pytest.raises(LambdaPatternsError) as refused:
        region_of([deployment], parse_workload({}), None)
    assert str(refused.value) == (
        "the Region to price is not known (no stack names one): give it with --region"
    )


@pytest.mark.parametrize(
    ("timeout", "duration_ms", "said"),
    [
        (10, 10_000, None),
        (10, 10_001, "10,001 milliseconds, Fn is ended after 10,000"),
        (None, 3001, "3,001 milliseconds, Fn is ended after 3,000"),
        (None, 3000, None),
        ({"Fn::ImportValue": "timeout"}, 900_000, None),
    ],
)
def test_an_average_beyond_the_functions_timeout_is_refused(
    timeout: Any, duration_ms: float, said: str | None
) -> None:
    deployment = deployed(Shop={"Fn": {**FUNCTION, "Properties": {"Timeout": timeout}}})
    workload = parse_workload({"functions": {"Fn": {"invocations": 1, "duration_ms": duration_ms}}})
    sheet = PriceSheet("us-east-1")
    if said is None:
        assert estimate(deployment, workload, sheet).monthly >= 0
        return
    with pytest.raises(LambdaPatternsError) as refused:
        estimate(deployment, workload, sheet)
    assert str(refused.value) == f"workload: functions.Fn: duration_ms is {said}: that is its Timeout"
