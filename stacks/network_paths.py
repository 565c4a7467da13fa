"""One stack for each way out of a VPC, each with a function that reports what it reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from lambda_patterns.constructs import (
    Endpoints,
    Isolated,
    LambdaNetwork,
    NatGateways,
    NatInstances,
    VpcFunction,
)
from lambda_patterns.constructs.acknowledgements import acknowledge
from stacks.handlers import ASKED_AND_ANSWERED, handler_code
from stacks.private_bucket import let_write, private_bucket
from stacks.table import recoverable_table

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from lambda_patterns.constructs import WayOut

ADDRESS_URL = "https://checkip.amazonaws.com"
"""AWS's own page that answers with the address it is asked from."""


class _NatStack(Stack):
    """A function that reaches the internet, and keeps the address under which it is seen there."""

    function: lambda_.Function

    def __init__(self, scope: Construct, construct_id: str, internet: WayOut) -> None:
        super().__init__(scope, construct_id)
        network = LambdaNetwork(self, "Network", internet=internet)
        bucket = private_bucket(self, "Addresses")
        self.function = VpcFunction(
            self,
            "RecordEgressAddress",
            code=handler_code("record_egress_address"),
            handler="handler.handler",
            network=network,
            internet=True,
            needs=["s3"],
            environment={"ADDRESS_URL": ADDRESS_URL, "BUCKET": bucket.bucket_name},
        )
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:PutObject"],
                resources=[bucket.arn_for_objects("egress-address.json")],
            )
        )
        acknowledge(self.function, ASKED_AND_ANSWERED)


class NatGatewayStack(_NatStack):
    """The whole internet through a NAT gateway in each zone."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, NatGateways())


class NatInstanceStack(_NatStack):
    """The whole internet through one NAT instance."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, NatInstances())


class EndpointsStack(Stack):
    """Secrets Manager and S3 through endpoints, and no internet."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        network = LambdaNetwork(self, "Network", internet=Endpoints("secretsmanager", "s3"))
        bucket = private_bucket(self, "Documents")
        key = secretsmanager.Secret(
            self,
            "SigningKey",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
        )
        rotation = "what was signed with it has to stay verifiable: it changes when documents are signed anew"
        acknowledge(
            key,
            {
                "AwsSolutions-SMG4": rotation,
                "compliance/SecretsManagerRotationEnabled": rotation,
                "compliance/SecretsManagerUsingKMSKey": "the account's own key for Secrets Manager encrypts "
                "it; only a reader in another account would need a customer key",
            },
        )
        self.function = VpcFunction(
            self,
            "SignDocument",
            code=handler_code("sign_document"),
            handler="handler.handler",
            network=network,
            needs=["secretsmanager", "s3"],
            environment={"BUCKET": bucket.bucket_name, "SIGNING_KEY_ARN": key.secret_arn},
        )
        self.function.add_to_role_policy(
            iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[key.secret_arn])
        )
        let_write(self.function, bucket, "signed/")
        acknowledge(self.function, ASKED_AND_ANSWERED)


class IsolatedStack(Stack):
    """DynamoDB through a gateway endpoint, and nothing else: no way out, declared and proved."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        network = LambdaNetwork(self, "Network", internet=Isolated("dynamodb"))
        table = recoverable_table(self, "Requests", expires="expires")
        self.function = VpcFunction(
            self,
            "RememberRequest",
            code=handler_code("remember_request"),
            handler="handler.handler",
            network=network,
            needs=["dynamodb"],
            timeout=Duration.seconds(15),
            environment={"TABLE": table.table_name},
        )
        self.function.add_to_role_policy(
            iam.PolicyStatement(actions=["dynamodb:PutItem"], resources=[table.table_arn])
        )
        acknowledge(self.function, ASKED_AND_ANSWERED)
