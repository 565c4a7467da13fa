"""Which component of the network a property names.

A resource is named by its logical id, with its template's name before it where there are several templates. A
physical id that is written out ("subnet-0abc") and a parameter name one component each: the same everywhere.

Not modelled: a parameter that is given the id of a resource of the same deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.network.prefixes import Prefix, parse
from lambda_patterns.model.values import Reference, Unknown, Zone, plain

if TYPE_CHECKING:
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

_OF_ITS_VPC = frozenset({"DefaultSecurityGroup", "DefaultNetworkAcl"})


class Identity:
    """The names of one deployment's components, and the resources behind them."""

    def __init__(self, deployment: Deployment) -> None:
        self._several = len(deployment.assembly.templates) > 1
        self.resources: dict[str, Resource] = {}

    def name(self, resource: Resource) -> str:
        """Name a resource, and remember it under its name."""
        name = f"{resource.template}/{resource.id}" if self._several else resource.id
        self.resources.setdefault(name, resource)
        return name

    def of(self, value: Value) -> str | Unknown:
        """Name what a property refers to; an `Unknown` with a name of its own is one component too."""
        if isinstance(value, Reference):
            name = self.name(value.resource)
            return f"{name}.{value.attribute}" if value.attribute in _OF_ITS_VPC else name
        if isinstance(value, str):
            return value
        if isinstance(value, Unknown):
            return value
        return Unknown("nothing is given") if value is None else Unknown("it is put together at deployment")

    def listed(self, values: list[Value] | Unknown) -> list[str | Unknown]:
        """Name each of a list of ids; a list that is not known is one unknown id."""
        return [values] if isinstance(values, Unknown) else [self.of(value) for value in values]


def block(value: Value) -> Prefix | Unknown:
    """Read an address block that is written out, here or in the resource that it is taken from."""
    if isinstance(value, str):
        return parse(value) or Unknown(f"{value!r} is no address block")
    return value if isinstance(value, Unknown) else Unknown("an address block that is decided at deployment")


def zone(value: Value) -> str | None:
    """Name an availability zone so that equal names are one zone and others are not; None: not known."""
    if isinstance(value, Zone):
        region = value.region.name if isinstance(value.region, Unknown) else value.region
        own = "" if region == "AWS::Region" else f" of {region}"
        return f"zone {value.index + 1}{own}" if region else None
    return plain(value)
