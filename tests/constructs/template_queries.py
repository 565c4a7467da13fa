"""Questions that the tests of the constructs ask of a synthesized template."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.testing import synthesize

Template = dict[str, Any]


def code() -> Template:
    """What every function has to have."""
    return {"code": lambda_.Code.from_inline("def handler(event, context): ..."), "handler": "index.handler"}


def of_type(template: Template, kind: str) -> list[Template]:
    """Properties of every resource of a type."""
    resources = template["Resources"].values()
    return [resource.get("Properties", {}) for resource in resources if resource["Type"] == kind]


def only(template: Template, kind: str) -> Template:
    found = of_type(template, kind)
    assert len(found) == 1, f"{len(found)} {kind}"
    return found[0]


def found(stack: Stack, kind: str) -> list[Template]:
    return of_type(synthesize(stack), kind)


def one(stack: Stack, kind: str) -> Template:
    return only(synthesize(stack), kind)


def types(template: Template) -> set[str]:
    return {resource["Type"] for resource in template["Resources"].values()}


def declarations(template: Template, kind: str = "AWS::Lambda::Function") -> list[Template]:
    """What the resources of a type declare to the rules."""
    resources = template["Resources"].values()
    found = (r.get("Metadata", {}).get("LambdaPatterns") for r in resources if r["Type"] == kind)
    return [declared for declared in found if declared]
