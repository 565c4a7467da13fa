"""What the stacks of one world give to each other: exports, outputs read directly, exports across Regions.

Not modelled: outputs of stacks that are deployed already and not here; ``RoleArn`` of Fn::GetStackOutput.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.values import Unknown, same

if TYPE_CHECKING:
    from lambda_patterns.model.scope import Scope, World
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

WRITER = "Custom::CrossRegionExportWriter"
READER = "Custom::CrossRegionExportReader"
"""The custom resources by which aws_cdk carries a value to a stack of another Region."""


class Exports:
    """The values that stacks of one world can take from each other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._exported: dict[str, list[tuple[Scope, str]]] | None = None
        self._written: dict[str, list[Value]] | None = None

    def imported(self, name: str, importer: Scope) -> Value:
        """The value that a stack of the importer's Region and account exports as `name` (Fn::ImportValue)."""
        if self._exported is None:
            self._exported = {}
            for scope in self._world.scopes:
                for export, output in scope.exports():
                    self._exported.setdefault(export, []).append((scope, output))
        found = [
            (scope, output)
            for scope, output in self._exported.get(name, ())
            if _in(scope, importer.pseudo("AWS::Region"), importer)
        ]
        if len(found) == 1:
            return found[0][0].output(found[0][1])
        stacks = "no template here exports it" if not found else "several templates here export it"
        return Unknown(f"import of {name}: {stacks}", name=f"import {name}")

    def output(self, stack: str, name: str, region: Value, reader: Scope) -> Value:
        """The output `name` of the stack named `stack` in `region` (Fn::GetStackOutput)."""
        where = reader.pseudo("AWS::Region") if region is None else region
        found = [
            scope
            for scope in self._world.scopes
            if scope.template.stack_name == stack and _in(scope, where, reader)
        ]
        if len(found) == 1:
            return found[0].output(name)
        return Unknown(f"output {name} of stack {stack}, which is not here")

    def carried(self, reader: Resource, name: str) -> Value:
        """What a stack of another Region writes as `name` for a reader of aws_cdk's; None where none does."""
        if reader.type != READER:
            return None
        if self._written is None:
            self._written = {}
            for scope in self._world.scopes:
                for resource in scope.resources.values():
                    values = resource.get("WriterProps", "exports") if resource.type == WRITER else None
                    for key, value in values.items() if isinstance(values, dict) else ():
                        self._written.setdefault(key, []).append(value)
        found = self._written.get(name, [])
        return found[0] if len(found) == 1 else None


def _in(scope: Scope, region: Value, reader: Scope) -> bool:
    """Whether a stack may be in `region` and in the reader's account."""
    accounts = scope.pseudo("AWS::AccountId"), reader.pseudo("AWS::AccountId")
    return same(scope.pseudo("AWS::Region"), region) is not False and same(*accounts) is not False
