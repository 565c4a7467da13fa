"""The CloudFormation resource behind a construct of aws_cdk."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from constructs import IConstruct

Kind = TypeVar("Kind")


def own_resource(construct: IConstruct, kind: type[Kind]) -> Kind:
    """Give the resource that a construct was made for.

    Args:
        construct: one made here, not an imported one.
        kind: the class of its resource, `sqs.CfnQueue` of a queue.

    Raises:
        TypeError: it has none, or one of another kind.
    """
    resource = construct.node.default_child
    if not isinstance(resource, kind):
        raise TypeError(f"{construct.node.path} has no {kind.__name__} of its own")
    return resource
