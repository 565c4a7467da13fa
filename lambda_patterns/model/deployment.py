"""An assembly as it is deployed under one combination of conditions: what rules and proofs ask.

Not modelled: updates of what is deployed already, drift, stack policies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from lambda_patterns.model.values import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_patterns.model.assembly import Assembly
    from lambda_patterns.model.databases import Databases
    from lambda_patterns.model.failures import Failures
    from lambda_patterns.model.needs import Needs
    from lambda_patterns.model.network import Network
    from lambda_patterns.model.permissions import Permissions
    from lambda_patterns.model.scope import World
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value


@dataclass(frozen=True, slots=True)
class Settings:
    """What a check is told beside the template.

    Args:
        today: the day on which runtimes are judged. Default: the day of the call.
        quotas: the account's quota profile, "default" or "new-account". Default: an account's usual quotas,
            because most functions are deployed to an account that has them.
        region: the Region of stacks that do not say theirs. Default: unknown, but one for all of them.
        account: likewise the account, 12 digits.
    """

    today: date = field(default_factory=date.today)
    quotas: Literal["default", "new-account"] = "default"
    region: str | None = None
    account: str | None = None


class Deployment:
    """All resources of an assembly that exist under one combination of conditions.

    Args:
        assembly: what is deployed.
        settings: what the check was told.
        world: the templates with their conditions decided.
    """

    def __init__(self, assembly: Assembly, settings: Settings, world: World) -> None:
        self.assembly = assembly
        self.settings = settings
        self._world = world
        self._referrers: dict[
            tuple[str, str, tuple[str | int, ...]], dict[Resource, tuple[Resource, ...]]
        ] = {}

    @property
    def choices(self) -> Mapping[str, str | bool | None]:
        """What was chosen for each undecided parameter or comparison; empty where nothing was undecided."""
        return self._world.choices or {}

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource that exists or may exist (`Resource.certain`), in the templates' order."""
        return tuple(resource for scope in self._world.scopes for resource in scope.resources.values())

    @cached_property
    def _by_type(self) -> dict[str, tuple[Resource, ...]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.type, []).append(resource)
        return {kind: tuple(resources) for kind, resources in found.items()}

    @cached_property
    def _by_name(self) -> dict[str | None, list[Resource]]:
        """The resources by logical id and by construct path."""
        found: dict[str | None, list[Resource]] = {}
        for resource in self.resources:
            for name in {resource.id, resource.construct_path}:
                found.setdefault(name, []).append(resource)
        return found

    def of_type(self, *types: str) -> tuple[Resource, ...]:
        """The resources of any of `types`, type by type, in the templates' order."""
        if len(types) == 1:
            return self._by_type.get(types[0], ())
        return tuple(resource for kind in types for resource in self._by_type.get(kind, ()))

    def find(self, logical_id: str, template: str | None = None) -> Resource | None:
        """The resource of this logical id, or of this construct path; None where there is none or several.

        Args:
            logical_id: "OrdersFunction", or "Shop/Orders/Resource".
            template: only in the template of this name. Default: in all.
        """
        named = self._by_name.get(logical_id, ())
        found = [resource for resource in named if template is None or resource.template == template]
        return found[0] if len(found) == 1 else None

    def resource_of(self, value: Value, *types: str) -> Resource | None:
        """The one resource that `value` names by reference, ARN or (of `types`) physical name, or None."""
        return self._world.names.resource_of(value, *types)

    def referrers(self, resource: Resource, kind: str, *path: str | int) -> tuple[Resource, ...]:
        """The resources of type `kind` whose property at `path` names `resource` (one, or a list with it).

        ``referrers(role, "AWS::IAM::Policy", "Roles")`` are the policies attached to a role.
        """
        key = resource.type, kind, path
        if key not in self._referrers:
            found: dict[Resource, dict[Resource, None]] = {}
            for candidate in self.of_type(kind):
                value = candidate.get(*path)
                for item in value if isinstance(value, list) else (value,):
                    named = (
                        item.resource
                        if isinstance(item, Reference)
                        else self.resource_of(item, resource.type)
                    )
                    if named is not None:
                        found.setdefault(named, {})[candidate] = None
            self._referrers[key] = {named: tuple(candidates) for named, candidates in found.items()}
        return self._referrers[key].get(resource, ())

    @cached_property
    def incomplete(self) -> str:
        """Why there may be more resources than can be seen (a macro may add some), or ""."""
        return next(
            (scope.template.incomplete for scope in self._world.scopes if scope.template.incomplete), ""
        )

    @cached_property
    def network(self) -> Network:
        """What reaches what."""
        from lambda_patterns.model.network import Network  # noqa: PLC0415  # only what is asked is loaded

        return Network(self)

    @cached_property
    def permissions(self) -> Permissions:
        """Who may do what."""
        from lambda_patterns.model.permissions import Permissions  # noqa: PLC0415  # see network

        return Permissions(self)

    @cached_property
    def needs(self) -> Needs:
        """What each function's code must reach."""
        from lambda_patterns.model.needs import Needs  # noqa: PLC0415  # see network

        return Needs(self)

    @cached_property
    def databases(self) -> Databases:
        """Which proxy stands before which database, and who uses them."""
        from lambda_patterns.model.databases import Databases  # noqa: PLC0415  # see network

        return Databases(self)

    @cached_property
    def failures(self) -> Failures:
        """Where each failed event goes."""
        from lambda_patterns.model.failures import Failures  # noqa: PLC0415  # see network

        return Failures(self)
