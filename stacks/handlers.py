"""The code of the examples' functions: each folder below `functions/` is deployed as it is."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_lambda as lambda_

FUNCTIONS = Path(__file__).parents[1] / "functions"
ASKED_AND_ANSWERED = dict.fromkeys(
    ("Serverless-LambdaDLQ", "compliance/LambdaDLQ"),
    "it is invoked synchronously: a failure goes back to whoever asked, and there is no event to keep",
)
"""Acknowledges that a function keeps no failures."""


def handler_code(name: str) -> lambda_.Code:
    """Give the code in ``functions/<name>``; it needs nothing that the runtime does not bring."""
    return lambda_.Code.from_asset(str(FUNCTIONS / name), exclude=["__pycache__", "*.pyc"])
