import json
from pathlib import Path
from typing import Any

import pytest

from lambda_patterns.cli import main

TEMPLATE = {
    "Resources": {
        "Fn": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024}},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Secret": {"Type": "AWS::SecretsManager::Secret"},
        "Db": {"Type": "AWS::RDS::DBInstance"},
    }
}
CONDITIONAL: dict[str, Any] = {
    "Parameters": {"Watched": {"Type": "String"}},
    "Conditions": {"IsWatched": {"Fn::Equals": [{"Ref": "Watched"}, "yes"]}},
    "Resources": {
        "Secret": {"Type": "AWS::SecretsManager::Secret"},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Condition": "IsWatched"},
    },
}


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["lambda-patterns", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def template(tmp_path: Path) -> Path:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(TEMPLATE), encoding="utf-8")
    return file


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    file = tmp_path / "workload.yaml"
    file.write_text(
        "region: ap-northeast-2\nfunctions: {Fn: {invocations: 10000000, duration_ms: 100}}\n"
        "queues: {Queue: {messages: 5}}\n",
        encoding="utf-8",
    )
    return file


def test_the_bill_names_resources_totals_floor_and_what_dominates(
    template: Path, workload: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, monkeypatch, "cost", template, "--workload", workload)
    assert (code, err) == (0, "")
    rows = [" ".join(line.split()) for line in out.splitlines()]
    # 10 x 0.20 - 0.20 free; 1,000,000 GB-s - 400,000 free; the secret
    assert f"{template} Fn requests 10,000,000 requests 2.00" in rows
    assert f"{template} Fn duration 1,000,000 GB-s 16.67" in rows
    assert "(account) free tier duration 400,000 GB-s -6.67" in rows
    assert f"{template} Secret secret 1 secret-month 0.40 *" in rows
    assert f"{template} Queue requests 15 requests unknown" in rows
    assert "total: at least 12.20 USD a month in ap-northeast-2, without tax" in rows
    assert "floor with no traffic (*): 0.40 USD a month" in rows
    assert "dominated by lambda-duration-x86-1: 87% of what is charged" in rows
    assert (
        "unknown: no source for the price of sqs-standard-requests in ap-northeast-2 (Queue); "
        "give a price with --prices FILE"
    ) in rows
    assert "not priced: AWS::RDS::DBInstance (1)" in rows


def test_the_json_bill_holds_the_same_figures_and_the_sources(
    template: Path, workload: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = run(capsys, monkeypatch, "cost", template, "--workload", workload, "--json")
    found = json.loads(out)
    assert found["monthly_usd"] == pytest.approx(2.00 - 0.20 + 600_000 * 0.0000166667 + 0.40)
    assert found["floor_usd"] == pytest.approx(0.40)
    assert found["complete"] is False
    assert found["stacks"]["(account)"] == pytest.approx(-0.20 - 400_000 * 0.0000166667)
    (duration,) = [line for line in found["lines"] if line["what"] == "duration" and line["resource"] == "Fn"]
    assert duration["source"].startswith("https://pricing.us-east-1.amazonaws.com/offers/")
    assert duration["source"].endswith("2026-10-01")


def test_without_a_workload_the_bill_is_the_floor_and_names_the_silent_functions(
    template: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capsys, monkeypatch, "cost", template, "--region", "us-east-1")
    assert code == 0
    assert "total: 0.40 USD a month in us-east-1, without tax" in out
    assert "without a workload, counted as never invoked: Fn" in out


def test_undecided_conditions_give_the_dearest_case_and_name_the_cheapest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(CONDITIONAL), encoding="utf-8")
    _, out, _ = run(capsys, monkeypatch, "cost", file, "--region", "us-east-1")
    assert "total: 0.50 USD a month in us-east-1, without tax" in out
    assert "conditions are undecided: this is the dearest case, the cheapest is 0.40 USD a month" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the Region to price is not known (no stack names one): give it with --region"),
        (
            ("--region", "mars-west-1"),
            (
                "region 'mars-west-1' has no prices: the table knows ap-northeast-2, us-east-1; "
                "give yours with --prices FILE"
            ),
        ),
    ],
)
def test_a_region_that_is_not_known_is_one_line_and_exit_code_2(
    template: Path,
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, err = run(capsys, monkeypatch, "cost", template, *arguments)
    assert (code, out, err) == (2, "", f"lambda-patterns: {message}\n")


def test_the_users_prices_complete_the_bill_of_a_region_that_is_not_in_the_table(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("mars-west-1: {secret-month: 3}", encoding="utf-8")
    code, out, _ = run(capsys, monkeypatch, "cost", template, "--region", "mars-west-1", "--prices", file)
    assert code == 0
    assert "total: 3.00 USD a month in mars-west-1, without tax" in out


def test_a_negative_workload_is_one_line_and_exit_code_2(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "workload.yaml"
    file.write_text("functions: {Fn: {duration_ms: -1}}", encoding="utf-8")
    code, out, err = run(capsys, monkeypatch, "cost", template, "--workload", file)
    assert (code, out) == (2, "")
    assert err == (
        f"lambda-patterns: {file}: functions.Fn: duration_ms is -1 milliseconds, "
        "allowed are 0-5,400,000 milliseconds: "
        "it is a quantity of one month\n"
    )


def test_stacks_of_another_region_than_the_one_priced_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = {}
    for name, region in (("Shop", "ap-northeast-2"), ("Site", "us-east-1"), ("Any", "unknown-region")):
        (tmp_path / f"{name}.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://unknown-account/{region}",
            "properties": {"templateFile": f"{name}.json"},
        }
    manifest = {"version": "53.0.0", "artifacts": artifacts}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    two = "the stacks are deployed to ap-northeast-2, us-east-1"
    code, _, err = run(capsys, monkeypatch, "cost", tmp_path)
    assert (code, err) == (
        2,
        f"lambda-patterns: the Region to price is not known ({two}): give it with --region\n",
    )
    _, out, _ = run(capsys, monkeypatch, "cost", tmp_path, "--region", "ap-northeast-2")
    said = "at the prices of ap-northeast-2, though deployed elsewhere: Site (us-east-1)"
    assert said in out.splitlines()
    _, out, _ = run(capsys, monkeypatch, "cost", tmp_path, "--region", "ap-northeast-2", "--json")
    assert json.loads(out)["deployed_elsewhere"] == {"Site": "us-east-1"}


def test_what_needs_nothing_needs_no_way_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for services in ((), ("--service", "s3=5")):  # a gateway endpoint costs nothing, and every path has it
        _, out, _ = run(capsys, monkeypatch, "compare-paths", "--region", "us-east-1", *services)
        assert "cheapest that carries it: isolated, 0.00 USD a month" in out.splitlines()


def test_paths_are_compared_with_their_break_even(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(
        capsys,
        monkeypatch,
        "compare-paths",
        "--region",
        "ap-northeast-2",
        "--service",
        "sqs",
        "--service",
        "kms=100",
    )
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert rows[0] == "ap-northeast-2, 2 zones, a month: kms 100 GB, sqs 0 GB; no internet"
    assert "nat-gateway-per-zone 93.44 0.059 99.34" in rows
    assert "endpoints 37.96 0.01 38.96" in rows
    assert "isolated 0.00 0 - it does not reach kms, sqs" in rows
    assert "cheapest that carries it: nat-instance, 11.24 USD a month" in rows
    assert "endpoints cost more than a NAT gateway in each zone from 5.18 services on" in rows
    assert "beside NAT gateways, an endpoint pays for itself from 387 GB a month on" in rows


def test_the_paths_of_a_workload_file_are_taken_and_options_win(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "workload.yaml"
    file.write_text(
        "region: us-east-1\npaths: {zones: 3, services: {sqs: 5}, internet_gb: 10}", encoding="utf-8"
    )
    _, out, _ = run(capsys, monkeypatch, "compare-paths", "--workload", file, "--zones", "1", "--json")
    found = json.loads(out)
    assert found["region"] == "us-east-1"
    (nat,) = [way for way in found["paths"] if way["name"] == "nat-gateway-per-zone"]
    # 730 x (0.045 + 0.005) + 15 x 0.045
    assert nat["monthly"] == pytest.approx(36.50 + 0.675)


@pytest.mark.parametrize(("name", "start"), [("even.png", b"\x89PNG"), ("even.svg", b"<?xml")])
def test_the_break_even_is_drawn_and_the_same_input_gives_the_same_file(
    name: str,
    start: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ("compare-paths", "--region", "ap-northeast-2", "--service", "sqs=10", "--chart")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        code, _, err = run(capsys, monkeypatch, *arguments, tmp_path / folder / name)
        assert (code, err) == (0, "")
    drawn = (tmp_path / "a" / name).read_bytes()
    assert drawn.startswith(start)
    assert drawn == (tmp_path / "b" / name).read_bytes()


def test_a_chart_of_another_kind_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "even.gif"
    code, _, err = run(capsys, monkeypatch, "compare-paths", "--region", "us-east-1", "--chart", file)
    assert (code, err) == (2, f"lambda-patterns: {file}: a chart is drawn into .png or .svg, not '.gif'\n")


def test_gb_that_are_no_number_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run(capsys, monkeypatch, "compare-paths", "--region", "us-east-1", "--service", "sqs=lots")
    assert code == 2
    assert err == (
        "lambda-patterns: compare-paths.services.sqs: data is 'lots', "
        "allowed are 0-1,000,000,000 GB a month: "
        "it is a quantity of one month\n"
    )


def test_a_service_without_a_known_endpoint_is_counted_and_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("compare-paths", "--region", "us-east-1", "--service", "secretmanager")
    code, out, _ = run(capsys, monkeypatch, *arguments)
    assert code == 0
    assert (
        "secretmanager: no endpoint of this name is known here, one is counted: "
        "did you mean 'secretsmanager'?"
    ) in out.splitlines()


def test_a_service_without_a_name_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, monkeypatch, "compare-paths", "--region", "us-east-1", "--service", "=3")
    assert (code, out) == (2, "")
    assert err == (
        "lambda-patterns: compare-paths.services: a service has no name: write its endpoint's, like sqs\n"
    )


@pytest.mark.parametrize("command", ["cost", "compare-paths"])
def test_a_price_file_that_says_nothing_of_the_region_is_refused_in_one_line(
    command: str,
    template: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("us-esat-1: {nat-gateway-hour: 0.04}", encoding="utf-8")
    given = (command, *((template,) if command == "cost" else ()), "--region", "us-east-1", "--prices", file)
    code, out, err = run(capsys, monkeypatch, *given)
    assert (code, out) == (2, "")
    assert err == f"lambda-patterns: {file}: there is no 'us-east-1': did you mean 'us-esat-1'?\n"


def test_a_duration_above_the_functions_timeout_is_refused_in_one_line(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "workload.yaml"
    file.write_text("functions: {Fn: {invocations: 1, duration_ms: 3001}}", encoding="utf-8")
    code, out, err = run(capsys, monkeypatch, "cost", template, "--region", "us-east-1", "--workload", file)
    assert (code, out) == (2, "")
    assert err == (
        f"lambda-patterns: {file}: functions.Fn: duration_ms is 3,001 milliseconds, "
        "Fn is ended after 3,000: that is its Timeout\n"
    )
