import pytest
from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.constructs import OnFailureQueue, PlainFunction
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code, of_type, only

pytestmark = pytest.mark.cdk


def test_it_is_a_lambda_function_outside_any_vpc(stack: Stack) -> None:
    function = PlainFunction(stack, "Ship", **code())
    assert isinstance(function, lambda_.Function)
    template = synthesize(stack)
    made = only(template, "AWS::Lambda::Function")
    assert "VpcConfig" not in made
    assert made["TracingConfig"] == {"Mode": "Active"}
    assert "ec2:" not in str(only(template, "AWS::IAM::Role"))


def test_two_functions_live_in_one_stack(stack: Stack) -> None:
    queue = OnFailureQueue(stack, "Failures")
    for name in ("One", "Two"):
        PlainFunction(stack, name, on_failure=queue, **code()).add_alias("live")
    template = synthesize(stack)
    assert len(of_type(template, "AWS::Lambda::Function")) == 2
    assert len(of_type(template, "AWS::Lambda::EventInvokeConfig")) == 6
