"""SAM templates: expanded with AWS's own translator, without an account, or refused in one line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.assembly import parse, read
from lambda_patterns.model.assets import unzipped_size
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from pathlib import Path

SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String}
Globals:
  Function: {Runtime: python3.13, Timeout: 30}
Resources:
  Consumer:
    Type: AWS::Serverless::Function
    Metadata:
      LambdaPatterns: {Needs: [internet]}
    Properties:
      CodeUri: src
      Handler: app.handler
      Environment: {Variables: {STAGE: !Ref Stage, REGION: !Ref AWS::Region}}
      Policies:
        - AWSXRayDaemonWriteAccess
        - NobodysPolicy
        - SQSSendMessagePolicy: {QueueName: !GetAtt Results.QueueName}
      Events:
        Orders: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, BatchSize: 5}}
  Orders: {Type: AWS::SQS::Queue}
  Results: {Type: AWS::SQS::Queue}
"""


def test_a_function_comes_with_its_role_and_mapping(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("x" * 123)
    (tmp_path / "t.yaml").write_text(SAM)
    (deployment,) = read(tmp_path / "t.yaml").deployments()
    (function,) = deployment.of_type("AWS::Lambda::Function")
    (mapping,) = deployment.of_type("AWS::Lambda::EventSourceMapping")
    role = deployment.permissions.role_of(function)
    assert role is not None
    assert (function.get("Runtime"), function.number("Timeout")) == ("python3.13", 30)
    assert mapping.resource("FunctionName") is function
    assert mapping.resource("EventSourceArn") is deployment.find("Orders")
    assert not deployment.permissions.policies(role).complete
    assert unzipped_size(function) == 123
    assert function.line(("Handler",)) == 14


def test_what_is_unknown_stays_unknown_through_the_translator() -> None:
    (deployment,) = parse(SAM, "t.yaml").deployments()
    variables = deployment.of_type("AWS::Lambda::Function")[0].get("Environment", "Variables")
    assert variables == {
        "STAGE": Unknown("parameter Stage of t.yaml has no default", "t.yaml:Stage"),
        "REGION": Unknown("AWS::Region is known at deployment", "AWS::Region"),
    }


def test_needs_follow_declarations_and_policy_templates() -> None:
    (deployment,) = parse(SAM, "t.yaml").deployments()
    (function,) = deployment.of_type("AWS::Lambda::Function")
    assert [need.name for need in deployment.needs.of(function)] == ["internet", "sqs"]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        (
            "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: 5}}}",
            "Resource with id [F] is invalid. Only one of 'InlineCode' or 'CodeUri' can be set.",
        ),
        ("Resources: {}", "Structure of the SAM template is invalid. 'Resources' section is required"),
        (
            "Globals: [1]\nResources: {F: {Type: AWS::Serverless::Api}}",
            "'Globals' section is invalid. It must be a non-empty dictionary",
        ),
    ],
)
def test_what_the_translator_refuses_is_one_line(template: str, problem: str) -> None:
    with pytest.raises(LambdaPatternsError) as caught:
        parse(f"Transform: AWS::Serverless-2016-10-31\n{template}", "t.yaml")
    assert str(caught.value) == f"t.yaml: no SAM: {problem}"


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("samtranslator")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "samtranslator", None)
    with pytest.raises(LambdaPatternsError) as caught:
        parse(SAM, "t.yaml")
    assert str(caught.value) == (
        "t.yaml: is a SAM template, and AWS's translator that expands it is not installed: "
        "pip install 'lambda-patterns[sam]'"
    )


ROTATED = """
Transform: AWS::Serverless-2016-10-31
Mappings:
  Rotation: {aws: {id: "arn:aws:serverlessrepo:us-east-1:1:applications/R", version: 1.1.671}}
Resources:
  Rotation:
    Type: AWS::Serverless::Application
    Properties:
      Location:
        ApplicationId: !FindInMap [Rotation, !Ref AWS::Partition, id]
        SemanticVersion: !FindInMap [Rotation, !Ref AWS::Partition, version]
  Schedule:
    Type: AWS::SecretsManager::RotationSchedule
    Properties: {SecretId: mine, RotationLambdaARN: !GetAtt Rotation.Outputs.RotationLambdaARN}
"""


def test_an_application_whose_id_a_mapping_gives_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    function = """
  F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, Handler: a.b, InlineCode: x}}
"""
    (deployment,) = parse(ROTATED + function, "t").deployments()
    assert sorted(resource.type for resource in deployment.resources) == [
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::SecretsManager::RotationSchedule",
        "AWS::Serverless::Application",
    ]
    monkeypatch.setitem(sys.modules, "samtranslator.parser.parser", None)
    (deployment,) = parse(ROTATED, "t").deployments()  # nothing is left for the translator
    assert len(deployment.resources) == 2


@pytest.mark.parametrize(
    "resource",
    [
        "F: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}, Metadata: {Dockerfile: D}}",
        (
            "F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, Handler: a.b,"
            " CodeUri: src, AutoPublishAlias: !Ref Stage, AutoPublishCodeSha256: !Ref Stage}}"
        ),
        (
            "F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, Handler: a.b,"
            ' CodeUri: !Sub "s3://code-${AWS::Region}/f.zip"}}'
        ),
        "S: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: ./machine.asl.json}}",
        "A: {Type: AWS::Serverless::Api, Properties: {StageName: live, DefinitionUri: api.yaml}}",
    ],
)
def test_what_is_not_built_or_packaged_yet_is_read_all_the_same(resource: str) -> None:
    head = "Transform: AWS::Serverless-2016-10-31\nParameters: {Stage: {Type: String}}\nResources:\n  "
    (deployment,) = parse(head + resource, "t").deployments()
    assert deployment.resources
