"""One template of one deployment: what its names mean there. `World` is all of them together.

A scope knows its parameters, pseudo parameters, conditions and resources; `lambda_patterns.model.intrinsics`
follows the functions that are written in terms of them. All of it is found when first asked for, and kept.

Not modelled: AWS::StackId and AWS::NotificationARNs, NoEcho, values given at deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.conditions import Undecided, decide
from lambda_patterns.model.exports import Exports
from lambda_patterns.model.intrinsics import INTRINSICS, NO_VALUE
from lambda_patterns.model.names import Names
from lambda_patterns.model.template import Resource
from lambda_patterns.model.texts import DYNAMIC, dynamic, split_list
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_patterns.model.conditions import Choices
    from lambda_patterns.model.template import Template
    from lambda_patterns.model.values import Json, Raw, Value

CYCLE = Unknown("the value refers to itself")
TOO_DEEP = Unknown("the value is nested too deeply to be followed")
_LISTS = ("CommaDelimitedList", "List<")
_SSM = "AWS::SSM::Parameter::Value<"
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-iso", "aws-iso"), ("eusc-", "aws-eusc"))
_SUFFIXES = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}


class World:
    """All templates of an assembly in one combination of choices.

    Args:
        roots: the templates that are not nested in another.
        region: the Region of stacks that do not say theirs. None: unknown, but one and the same for all of
            them.
        account: likewise the account.
        choices: what was chosen for undecided parameters and comparisons; None: nothing is chosen, and what
            is undecided is `Unknown`.
    """

    def __init__(
        self,
        roots: Sequence[Template],
        region: str | None = None,
        account: str | None = None,
        choices: Choices | None = None,
    ) -> None:
        self.region = region
        self.account = account
        self.choices = choices
        self.scopes: list[Scope] = []
        self.names = Names(self)
        self.exports = Exports(self)
        for template in roots:
            self._enter(Scope(self, template))

    def _enter(self, scope: Scope) -> None:
        self.scopes.append(scope)
        for logical_id, template in scope.template.children.items():
            child = Scope(self, template, scope, logical_id)
            scope.children[logical_id] = child
            self._enter(child)


class Scope:
    """What the names in one template mean, in one `World`."""

    __slots__ = (
        "_conditions",
        "_outputs",
        "_parameters",
        "_pseudo",
        "_resources",
        "children",
        "parent",
        "parent_id",
        "template",
        "world",
    )

    def __init__(
        self, world: World, template: Template, parent: Scope | None = None, parent_id: str = ""
    ) -> None:
        self.world = world
        self.template = template
        self.parent = parent
        self.parent_id = parent_id
        self.children: dict[str, Scope] = {}
        self._resources: dict[str, Resource] | None = None
        self._parameters: dict[str, Value] = {}
        self._conditions: dict[str, bool | Unknown] = {}
        self._pseudo: dict[str, Value] = {}
        self._outputs: dict[str | int, Value] = {}

    # What is written

    def resolve(self, raw: Json) -> Value:
        """Follow every intrinsic function in `raw`. What has none is returned as it is, not copied."""
        kind = type(raw)
        value: Value = raw
        if kind is str:
            if DYNAMIC in raw:
                value = dynamic(raw)
        elif kind is dict:
            value = self._mapping(raw)
        elif kind is list:
            value = self._list(raw)
        return value

    def _mapping(self, raw: Raw) -> Value:
        """A mapping is an intrinsic function if that is its only key."""
        if len(raw) == 1:
            (key,) = raw
            function = INTRINSICS.get(key)
            if function is not None:
                return function(self, raw[key])
            if key.startswith("Fn::"):
                return Unknown(f"{key} is decided at deployment")
        elif "Fn::Transform" in raw:
            return Unknown("a macro decides the value")
        result: dict[str, Value] = raw
        for key, item in raw.items():
            if type(item) in _PLAIN:
                continue
            value = self.resolve(item)
            if value is not item:
                if result is raw:
                    result = raw.copy()
                if value is NO_VALUE:
                    del result[key]
                else:
                    result[key] = value
        return result

    def _list(self, raw: list[Json]) -> list[Value]:
        result: list[Value] | None = None
        for index, item in enumerate(raw):
            value = self.resolve(item)
            if value is not item and result is None:
                result = raw[:index]
            if result is not None and value is not NO_VALUE:
                result.append(value)
        return raw if result is None else result

    def resolve_property(self, raw: Json, name: str | int, cache: dict[str | int, Value]) -> Value:
        """Follow a property into `cache`, where a property that refers to itself finds `CYCLE` meanwhile."""
        cache[name] = CYCLE
        try:
            value = self.resolve(raw)
        except RecursionError:
            value = TOO_DEEP
        cache[name] = None if value is NO_VALUE else value
        return cache[name]

    # What the names mean

    @property
    def resources(self) -> Mapping[str, Resource]:
        """Logical id -> resource, of those that exist or may exist."""
        if self._resources is None:
            stack = None if self.parent is None else self.parent.resources.get(self.parent_id)
            found: dict[str, Resource] = {}
            for logical_id, raw in self.template.section("Resources").items() if self.exists else ():
                condition = raw.get("Condition")
                exists = True if condition is None else self.condition(condition)
                if exists is not False:
                    certain = exists is True and (stack is None or stack.certain)
                    found[logical_id] = Resource(self, logical_id, raw, certain=certain)
            self._resources = found
        return self._resources

    @property
    def exists(self) -> bool:
        """Whether the stack exists or may exist: not where its resource in the parent stack does not."""
        return self.parent is None or self.parent_id in self.parent.resources

    def parameter(self, name: str) -> Value:
        """The value of the parameter `name`: given by the parent stack, chosen, or its default."""
        if name not in self._parameters:
            self._parameters[name] = CYCLE
            self._parameters[name] = self._parameter(name)
        return self._parameters[name]

    def given(self, name: str) -> tuple[Scope, Json] | None:
        """What the parent stack passes for the parameter `name`, with the scope it is written in."""
        if self.parent is None:
            return None
        properties = self.parent.template.section("Resources")[self.parent_id].get("Properties")
        passed = properties.get("Parameters") if isinstance(properties, dict) else None
        if isinstance(passed, dict) and name in passed:
            return self.parent, passed[name]
        return None

    def _parameter(self, name: str) -> Value:
        declared = self.template.section("Parameters")[name]
        declared = declared if isinstance(declared, dict) else {}
        kind = declared.get("Type")
        kind = kind if isinstance(kind, str) else "String"
        given = self.given(name)
        value: Value
        stored = kind.startswith(_SSM)
        chosen = (self.world.choices or {}).get(self.atom(name))
        if isinstance(chosen, str):
            value = chosen
        elif given is not None and not stored:
            value = given[0].resolve(given[1])
            value = self._undecided(name, "is not given") if value is NO_VALUE else value
        elif "Default" in declared and not stored:
            value = declared["Default"]
        else:
            value = self._undecided(name, "is read from Parameter Store" if stored else "has no default")
        return split_list(value) if kind.startswith(_LISTS) or kind.startswith(f"{_SSM}List<") else value

    def atom(self, name: str) -> str:
        """What identifies the parameter or pseudo parameter `name` among the choices of an assembly."""
        return name if name in _SHARED else f"{self.template.name}:{name}"

    def _undecided(self, name: str, why: str) -> Unknown:
        return Unknown(f"parameter {name} of {self.template.name} {why}", name=self.atom(name))

    def pseudo(self, name: str) -> Value:
        """The value of the pseudo parameter `name`, "AWS::Region" say."""
        if name not in self._pseudo:
            self._pseudo[name] = self._find_pseudo(name)
        return self._pseudo[name]

    def _find_pseudo(self, name: str) -> Value:
        environment = self.environment()
        found: str | None = None
        if name == "AWS::NoValue":
            return NO_VALUE
        if name == "AWS::Region":
            found = environment[0]
        elif name == "AWS::AccountId":
            found = environment[1]
        elif name == "AWS::StackName":
            found = self.template.stack_name
        elif name in ("AWS::Partition", "AWS::URLSuffix"):
            region = self.pseudo("AWS::Region")
            if isinstance(region, str):
                partition = next((found for prefix, found in _PARTITIONS if region.startswith(prefix)), "aws")
                found = partition if name == "AWS::Partition" else _SUFFIXES.get(partition)
        choices = self.world.choices
        if found is None and choices is not None and isinstance(chosen := choices.get(self.atom(name)), str):
            found = chosen
        return Unknown(f"{name} is known at deployment", name=self.atom(name)) if found is None else found

    def environment(self) -> tuple[str | None, str | None]:
        """Region and account as far as the stack, its parents, or the settings say them."""
        scope: Scope | None = self
        region = account = None
        while scope is not None:
            region = region or scope.template.environment.region
            account = account or scope.template.environment.account
            scope = scope.parent
        return region or self.world.region, account or self.world.account

    def condition(self, name: object) -> bool | Unknown:
        """Whether the condition `name` holds; `Unknown` where that is not decided.

        Raises:
            lambda_patterns.model.conditions.Undecided: where a choice has to be made first.
        """
        if not isinstance(name, str):
            return Unknown("a condition is named by a text")
        if name not in self._conditions:
            self._conditions[name] = CYCLE
            resources = self._resources
            try:
                self._conditions[name] = decide(self, name)
            except RecursionError:
                self._conditions[name] = TOO_DEEP
            except Undecided:
                del self._conditions[name]
                raise
            finally:
                self._resources = resources  # none that were found while the condition was open
        return self._conditions[name]

    def exports(self) -> list[tuple[str, str]]:
        """Export name and output name of the outputs that exist and whose export's name is known."""
        found = []
        for name, output in self.template.section("Outputs").items() if self.exists else ():
            if not isinstance(output, dict) or not isinstance(output.get("Export"), dict):
                continue
            if "Condition" in output and self.condition(output["Condition"]) is False:
                continue
            export = self.resolve(output["Export"].get("Name"))
            if isinstance(export, str):
                found.append((export, name))
        return found

    def output(self, name: str) -> Value:
        """The value of the output `name`, as a parent stack or an importing stack reads it."""
        output = self.template.section("Outputs").get(name)
        if not isinstance(output, dict):
            return Unknown(f"{self.template.name} has no output {name}")
        if name not in self._outputs:
            self.resolve_property(output.get("Value"), name, self._outputs)
        return self._outputs[name]


_PLAIN = frozenset({int, float, bool, type(None)})
_SHARED = frozenset({"AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix"})
