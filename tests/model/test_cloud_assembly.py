"""Cloud assemblies: what `cdk synth` writes, joined; and folders that are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.assembly import Assembly, read
from lambda_patterns.model.assets import unzipped_size
from lambda_patterns.model.values import Reference, Unknown, Zone, same

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app of two stacks, one with a nested one, once as it is and once in a stage with an environment."""
    import aws_cdk as cdk  # noqa: PLC0415  # it starts Node, which the tests that do not synthesize need not wait for
    from aws_cdk import aws_ec2, aws_lambda, aws_lambda_destinations, aws_sns, aws_sqs  # noqa: PLC0415  # as above

    folder = tmp_path_factory.mktemp("app")
    (folder / "code").mkdir()
    (folder / "code" / "handler.py").write_text("def handler(event, context):\n    return event\n")
    app = cdk.App(outdir=str(folder / "cdk.out"))
    stage = cdk.Stage(app, "Prod", env=cdk.Environment(account="111111111111", region="ap-northeast-2"))
    for scope in (app, stage):
        data = cdk.Stack(scope, "Data")
        vpc = aws_ec2.Vpc(data, "Vpc", max_azs=2, nat_gateways=1)
        queue = aws_sqs.Queue(data, "Queue")
        stack = cdk.Stack(scope, "App")
        nested = cdk.NestedStack(stack, "Nested")
        failed = {"on_failure": aws_lambda_destinations.SqsDestination(queue)}
        function, other = (
            aws_lambda.Function(
                owner,
                "Function",
                runtime=aws_lambda.Runtime.PYTHON_3_13,
                handler="handler.handler",
                code=aws_lambda.Code.from_asset(str(folder / "code")),
                vpc=vpc,
                **more,
            )
            for owner, more in ((stack, failed), (nested, {}))
        )
        aws_sns.Topic(nested, "Topic").grant_publish(function)
        aws_sqs.Queue(stack, "Own").grant_send_messages(other)
        reason = cdk.Acknowledgment(id="LambdaPatterns::function-in-public-subnet", reason="because")
        cdk.Validations.of(function).acknowledge(reason)
    app.synth()
    return folder / "cdk.out"


def deployed(assembly: Assembly) -> Deployment:
    (deployment,) = assembly.deployments()
    return deployment


def find(deployment: Deployment, path: str) -> Resource:
    found = deployment.find(path)
    assert found is not None, path
    return found


@pytest.mark.cdk
def test_all_stacks_stages_and_nested_stacks_are_read_under_their_construct_paths(synthesized: Path) -> None:
    found = {template.name: template for template in read(synthesized).templates}
    assert set(found) == {"Data", "App", "App/Nested", "Prod/Data", "Prod/App", "Prod/App/Nested"}
    assert found["Prod/App"].environment == ("ap-northeast-2", "111111111111")
    assert found["Prod/App"].stack_name == "Prod-App"
    assert found["App"].environment == (None, None)


@pytest.mark.cdk
def test_exports_imports_and_nested_parameters_lead_to_the_one_resource_of_their_stage(
    synthesized: Path,
) -> None:
    deployment = deployed(read(synthesized))
    for stage in ("", "Prod/"):
        function = find(deployment, f"{stage}App/Function/Resource")
        subnets = [find(deployment, f"{stage}Data/Vpc/PrivateSubnet{n}/Subnet") for n in (1, 2)]
        assert function.get("VpcConfig", "SubnetIds") == [Reference(subnet) for subnet in subnets]
        settings = find(deployment, f"{stage}App/Function/EventInvokeConfig/Resource")
        queue = find(deployment, f"{stage}Data/Queue/Resource")
        assert settings.resource("DestinationConfig", "OnFailure", "Destination") is queue
        nested = find(deployment, f"{stage}App/Nested/Function/Resource")
        assert nested.get("VpcConfig", "SubnetIds") == function.get("VpcConfig", "SubnetIds")
        own, topic = (
            find(deployment, f"{stage}App/Own/Resource"),
            find(deployment, f"{stage}App/Nested/Topic/Resource"),
        )
        granted = find(deployment, f"{stage}App/Nested/Function/ServiceRole/DefaultPolicy/Resource")
        assert granted.get("PolicyDocument", "Statement", 0, "Resource") == Reference(own, "Arn")
        granted = find(deployment, f"{stage}App/Function/ServiceRole/DefaultPolicy/Resource")
        resources = [statement["Resource"] for statement in granted.get("PolicyDocument", "Statement")]  # type: ignore[union-attr, index, call-overload]  # written by cdk
        assert Reference(topic) in resources


@pytest.mark.cdk
def test_zones_are_known_to_differ_without_their_names(synthesized: Path) -> None:
    deployment = deployed(read(synthesized))
    one, two = (find(deployment, f"Data/Vpc/PrivateSubnet{n}/Subnet").get("AvailabilityZone") for n in (1, 2))
    assert isinstance(one, Zone)
    assert same(one, two) is False


@pytest.mark.cdk
def test_acknowledgements_are_kept_by_construct_path(synthesized: Path) -> None:
    found = {template.name: template.acknowledged for template in read(synthesized).templates}
    for stage in ("", "Prod/"):
        reasons = found[f"{stage}App"][f"{stage}App/Function"]
        assert reasons == {"LambdaPatterns::function-in-public-subnet": "because"}


@pytest.mark.cdk
def test_the_code_of_every_function_is_measured(synthesized: Path) -> None:
    functions = deployed(read(synthesized)).of_type("AWS::Lambda::Function")
    size = (synthesized.parent / "code" / "handler.py").stat().st_size
    of_ours = [
        unzipped_size(function) for function in functions if "/Function/" in (function.construct_path or "")
    ]
    assert of_ours == [size] * 4


@pytest.mark.cdk
def test_one_template_of_an_assembly_is_read_with_what_the_assembly_knows_of_it(synthesized: Path) -> None:
    assembly = read(synthesized / "App.template.json")
    assert [template.name for template in assembly.templates] == ["App", "App/Nested"]
    function = find(deployed(assembly), "App/Function/Resource")
    assert isinstance(function.get("VpcConfig", "SubnetIds", 0), Unknown)
    assert function.line(("VpcConfig", "SubnetIds")) is not None


def assembly_of(folder: Path, stacks: dict[str, dict[str, Any]], **artifacts: dict[str, Any]) -> Path:
    """Write a cloud assembly of templates in one environment."""
    manifest: dict[str, Any] = {"version": "55.0.0", "artifacts": dict(artifacts)}
    for name, template in stacks.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        manifest["artifacts"][name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111111111111/eu-west-1",
            "properties": {"templateFile": f"{name}.template.json"},
        }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def region_of(folder: Path, stack: str, region: str) -> None:
    """Move a stack of a written assembly to another Region."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"][stack]["environment"] = f"aws://111111111111/{region}"
    (folder / "manifest.json").write_text(json.dumps(manifest))


def assets_of(folder: Path, files: dict[str, str]) -> dict[str, Any]:
    """Write an asset manifest: object key -> path."""
    content = {
        key: {"source": {"path": path}, "destinations": {"d": {"bucketName": "b", "objectKey": key}}}
        for key, path in files.items()
    }
    (folder / "it.assets.json").write_text(json.dumps({"version": "55.0.0", "files": content}))
    return {"type": "cdk:asset-manifest", "properties": {"file": "it.assets.json"}}


def function_of(key: str) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Bucket": "b", "S3Key": key}}}


def test_archives_are_measured_unzipped_and_what_is_not_there_is_unknown(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("a.py", "x" * 1000)
        archive.writestr("b/c.py", "y" * 500)
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    layer = {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {"Content": {"S3Bucket": "b", "S3Key": "k1.zip"}},
    }
    resources = {
        "A": function_of("k1.zip"),
        "B": function_of("k2.zip"),
        "C": function_of("k3.zip"),
        "D": function_of("no"),
        "L": layer,
    }
    files = assets_of(tmp_path, {"k1.zip": "code.zip", "k2.zip": "broken.zip", "k3.zip": "missing"})
    deployment = deployed(read(assembly_of(tmp_path, {"S": {"Resources": resources}}, assets=files)))
    assert {resource.id: unzipped_size(resource) for resource in deployment.resources} == {
        "A": 1500, "B": None, "C": None, "D": None, "L": 1500,
    }  # fmt: skip


def test_one_export_name_in_two_regions_is_two_exports(tmp_path: Path) -> None:
    exporting = {
        "Resources": {"Q": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"O": {"Value": {"Ref": "Q"}, "Export": {"Name": "shared"}}},
    }
    importing = {"Resources": {"R": {"Type": "T", "Properties": {"V": {"Fn::ImportValue": "shared"}}}}}
    folder = assembly_of(tmp_path, {"A": exporting, "B": exporting, "C": importing})
    region_of(folder, "B", "us-east-1")
    deployment = deployed(read(folder))
    (importer,) = deployment.of_type("T")
    queue = importer.resource("V")
    assert queue is not None
    assert queue.template == "A"


@pytest.mark.parametrize("region", ["us-east-1", {"Fn::Sub": "us-east-${One}"}])
def test_an_output_that_is_read_directly_is_that_of_the_stack_in_that_region(
    tmp_path: Path, region: Any
) -> None:
    producing = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"O": {"Value": {"Ref": "Q"}}}}
    reading = {"Fn::GetStackOutput": {"StackName": "A", "OutputName": "O", "Region": region}}
    consuming = {
        "Parameters": {"One": {"Type": "String", "Default": "1"}},
        "Resources": {"R": {"Type": "T", "Properties": {"V": reading}}},
    }
    folder = assembly_of(tmp_path, {"A": producing, "B": consuming})
    (reader,) = deployed(read(folder)).of_type("T")
    assert isinstance(reader.get("V"), Unknown)
    region_of(folder, "A", "us-east-1")
    deployment = deployed(read(folder))
    (reader,) = deployment.of_type("T")
    assert reader.resource("V") is deployment.find("Q")


@pytest.mark.cdk
@pytest.mark.parametrize("strength", ["STRONG", "WEAK", "BOTH"])
def test_a_reference_across_regions_leads_to_the_one_resource(tmp_path: Path, strength: str) -> None:
    import aws_cdk as cdk  # noqa: PLC0415  # as above
    from aws_cdk import aws_sqs  # noqa: PLC0415  # as above

    app = cdk.App(outdir=str(tmp_path))
    stacks = {
        name: cdk.Stack(
            app,
            name,
            env=cdk.Environment(account="111111111111", region=region),
            cross_region_references=True,
        )
        for name, region in (("A", "us-east-1"), ("B", "eu-west-1"), ("C", "us-east-1"))
    }
    queue = aws_sqs.Queue(stacks["A"], "Queue")
    cdk.CrossStackReferences.of(queue).produce(getattr(cdk.ReferenceStrength, strength))
    for name in ("B", "C"):
        cdk.CfnResource(stacks[name], "R", type="Custom::It", properties={"V": queue.queue_arn})
    app.synth()
    deployment = deployed(read(tmp_path))
    found = [resource.resource("V") for resource in deployment.of_type("Custom::It")]
    assert found == [deployment.find("A/Queue/Resource")] * 2
    assert found[0] is not None


def test_one_export_name_twice_in_one_region_is_unknown(tmp_path: Path) -> None:
    exporting = {"Resources": {}, "Outputs": {"O": {"Value": 1, "Export": {"Name": "shared"}}}}
    importing = {"Resources": {"R": {"Type": "T", "Properties": {"V": {"Fn::ImportValue": "shared"}}}}}
    deployment = deployed(read(assembly_of(tmp_path, {"A": exporting, "B": exporting, "C": importing})))
    found = deployment.resources[0].get("V")
    assert isinstance(found, Unknown)
    assert found.why == "import of shared: several templates here export it"


def test_a_folder_that_is_no_assembly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LambdaPatternsError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: is no cloud assembly, it has no manifest.json: give a folder that `cdk synth` wrote "
        "(cdk.out), or a template file"
    )


def test_a_template_that_the_manifest_names_and_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = assembly_of(tmp_path, {"A": {"Resources": {}}})
    (folder / "A.template.json").unlink()
    with pytest.raises(LambdaPatternsError) as caught:
        read(folder)
    assert str(caught.value) == (
        f"{folder / 'A.template.json'}: the cloud assembly names it, and it cannot be read "
        "(No such file or directory): run `cdk synth` again"
    )


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"artifacts": []},
        {"artifacts": {"A": None, "B": {"type": "aws:cloudformation:stack"}}},
        {"artifacts": {"A": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}}},
    ],
)
def test_an_assembly_without_stacks_is_refused(tmp_path: Path, manifest: Any) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(LambdaPatternsError) as caught:
        read(tmp_path)
    assert str(caught.value) == f"{tmp_path}: the cloud assembly has no stacks: run `cdk synth` again"


def test_odd_metadata_is_passed_over(tmp_path: Path) -> None:
    folder = assembly_of(tmp_path, {"A": {"Resources": {"R": {"Type": "T"}}}})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["A"]["metadata"] = {
        "/A": [1, {"type": "aws:cdk:acknowledged-rules", "data": "x"}, {"type": "aws:cdk:logicalId"}],
        "/A/R": [{"type": "aws:cdk:logicalId", "data": "R"}],
        "/A/S": "x",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert deployed(read(folder)).resources[0].construct_path == "A/R"
