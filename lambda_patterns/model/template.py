"""One template as it was written, and its resources as one deployment sees them.

`Template` is what was read: no reference is followed in it. `Resource` is a resource of one `Deployment`: its
properties are followed when they are first asked for, and then kept.

Not modelled: DeletionPolicy, UpdatePolicy, CreationPolicy and Rules; the defaults that a resource type gives
to a property that is not written (a rule knows those of the types that it judges).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.coercions import as_boolean, as_list, as_number, as_text
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lambda_patterns.model.coercions import Boolean, Number, Written
    from lambda_patterns.model.scope import Scope
    from lambda_patterns.model.values import Json, Raw, Value

type_ = type


class Environment(NamedTuple):
    """Where a stack is deployed, as far as it is known. None: it is decided at deployment."""

    region: str | None = None
    account: str | None = None


NOWHERE = Environment()


@dataclass(slots=True, eq=False)
class Template:
    """A template as it was read.

    Args:
        name: what findings call it: the file as it was given, or the stack's construct path in a cloud
            assembly.
        data: the sections, plain JSON; long intrinsics, whatever the file was written in.
        path: the file, or None where it was not read from one.
        environment: Region and account of its stack.
        stack_name: the stack's name where a cloud assembly says it.
        construct_paths: logical id -> construct path, from a cloud assembly's metadata.
        acknowledged: construct path -> {rule id: reason}, as a cloud assembly records them.
        children: logical id of an AWS::CloudFormation::Stack -> the nested template.
        assets: what measures the code that is referred to by bucket and key (see
            `lambda_patterns.model.assets`).
        locate: gives the line of a path of keys in the file; called when a finding first needs one.
        incomplete: why there may be more in it than can be seen (a macro), or "".
    """

    name: str
    data: Raw
    path: Path | None = None
    environment: Environment = NOWHERE
    stack_name: str | None = None
    construct_paths: Mapping[str, str] = field(default_factory=dict)
    acknowledged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    children: dict[str, Template] = field(default_factory=dict)
    assets: Mapping[str, Path] = field(default_factory=dict)
    locate: Callable[[tuple[str | int, ...]], int | None] = lambda _path: None
    incomplete: str = ""

    def section(self, name: str) -> Raw:
        """The top-level section `name`, empty where it is missing."""
        found = self.data.get(name)
        return found if isinstance(found, dict) else {}

    @property
    def metadata(self) -> Raw:
        """The template's own Metadata section."""
        return self.section("Metadata")

    def line(self, *path: str | int) -> int | None:
        """The line, from 1, of the deepest part of `path` that the file has: ("Resources", "Function")."""
        return self.locate(path)

    def __repr__(self) -> str:
        return f"Template({self.name!r})"


class Resource:
    """A resource of one deployment. Equal only to itself.

    Attributes:
        id: the logical id.
        type: the resource type ("AWS::Lambda::Function"), "" where the template gives none.
        certain: whether it exists in this deployment for sure. False only where its condition could not be
            decided within the bound of combinations: it may exist.
    """

    __slots__ = ("_cache", "_incomplete", "_properties", "_raw", "_scope", "certain", "id", "type")

    def __init__(self, scope: Scope, logical_id: str, raw: Raw, *, certain: bool = True) -> None:
        self._scope = scope
        self._raw = raw
        self._cache: dict[str | int, Value] = {}
        self._properties: dict[str, Value] | None = None
        self.id = logical_id
        kind = raw.get("Type")
        self.type: str = kind if isinstance(kind, str) else ""
        self.certain = certain
        self._incomplete: bool | None = None

    @property
    def template(self) -> str:
        """The name of its template."""
        return self._scope.template.name

    @property
    def source(self) -> Template:
        """Its template as it was read."""
        return self._scope.template

    @property
    def environment(self) -> tuple[Value, Value]:
        """The Region and the account it is deployed in."""
        return self._scope.pseudo("AWS::Region"), self._scope.pseudo("AWS::AccountId")

    @property
    def partition(self) -> Value:
        """The partition it is deployed in ("aws", "aws-cn", "aws-us-gov")."""
        return self._scope.pseudo("AWS::Partition")

    @property
    def raw(self) -> Raw:
        """The resource as it was written, nothing followed."""
        return self._raw

    @property
    def properties(self) -> dict[str, Value]:
        """All properties, followed, those that are AWS::NoValue left out."""
        if self._properties is None:
            raw = self._raw.get("Properties") or {}
            found = {name: self._property(name) for name in raw if not name.startswith("Fn::")}
            self._properties = {name: value for name, value in found.items() if value is not None}
        return self._properties

    def get(self, *path: str | int, default: Value = None) -> Value:
        """Follow `path` below Properties: ``get("VpcConfig", "SubnetIds", 0)``.

        Returns the value; `default` where it is not there or AWS::NoValue removes it; the `Unknown` on the
        way where one is met, and one too where a macro may have added it.
        """
        if not path:
            return self.properties
        value = self._cache.get(path[0], _NOT_ASKED)
        if value is _NOT_ASKED:
            value = self._property(path[0])
        for step in path[1:]:
            if isinstance(value, dict):
                value = value.get(step)  # type: ignore[arg-type]  # an index into a mapping finds nothing
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step] if -len(value) <= step < len(value) else None
            elif isinstance(value, Unknown):
                return value
            elif value is not None and type_(value) not in _SCALARS:
                return Unknown(f"{self.id}.{'.'.join(map(str, path))} is decided at deployment")
            else:
                value = None
        return default if value is None else value

    def number(self, *path: str | int, default: float | None = None) -> Number:
        """`get`, as a number: CloudFormation takes "128" for 128. What is no number is `Unknown`."""
        return as_number(self.get(*path, default=default))

    def boolean(self, *path: str | int, default: bool | None = None) -> Boolean:
        """`get`, as a boolean: CloudFormation takes "true" for true. What is no boolean is `Unknown`."""
        return as_boolean(self.get(*path, default=default))

    def text(self, *path: str | int, default: str | None = None) -> Written:
        """`get`, as text: CloudFormation takes 5432 for "5432". A list or mapping is `Unknown`."""
        return as_text(self.get(*path, default=default))

    def list(self, *path: str | int) -> list[Value] | Unknown:
        """`get`, as a list: a single value is a list of one, nothing is an empty list."""
        return as_list(self.get(*path))

    def resource(self, *path: str | int) -> Resource | None:
        """The resource that the value at `path` names by Ref, GetAtt, ARN or physical name, or None."""
        return self._scope.world.names.resource_of(self.get(*path))

    @property
    def metadata(self) -> Raw:
        """Its Metadata attribute, as written."""
        found = self._raw.get("Metadata")
        return found if isinstance(found, dict) else {}

    @property
    def construct_path(self) -> str | None:
        """The path of the construct that made it ("Shop/Orders/Resource"), where the assembly tells."""
        path = self.metadata.get("aws:cdk:path")
        return path if isinstance(path, str) else self._scope.template.construct_paths.get(self.id)

    def line(self, path: tuple[str | int, ...] = ()) -> int | None:
        """The line of the property at `path` in the template's file, from 1; None where there is no file."""
        return self._scope.template.line("Resources", self.id, *(("Properties", *path) if path else ()))

    def follow(self, raw: Json) -> Value:
        """Follow the intrinsics of any JSON of this resource's template, such as its metadata."""
        return self._scope.resolve(raw)

    def _property(self, name: str | int) -> Value:
        """The top-level property `name`, None where there is none."""
        cache = self._cache
        value = cache.get(name, _NOT_ASKED)
        if value is not _NOT_ASKED:
            return value
        raw = self._raw.get("Properties")
        if isinstance(raw, dict) and name in raw:
            return self._scope.resolve_property(raw[name], name, cache)
        if self._incomplete is None:
            written = any(key.startswith("Fn::") for key in self._raw.get("Properties") or ())
            self._incomplete = written or bool(self._scope.template.incomplete)
        cache[name] = Unknown(f"a macro may set {name} of {self.id}") if self._incomplete else None
        return cache[name]

    def __repr__(self) -> str:
        return f"Resource({self.template!r}, {self.id!r}, {self.type!r})"


_SCALARS = frozenset({str, int, float, bool})
_NOT_ASKED = Unknown("it was not asked for")
