"""YAML as CloudFormation reads it. Loaded only where a template is YAML.

Not modelled: tags other than those of intrinsic functions and of plain scalars, lists and mappings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn, cast

import yaml

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.document import DEEPEST, duplicate_key

if TYPE_CHECKING:
    from yaml.constructor import SafeConstructor
    from yaml.nodes import Node

    from lambda_patterns.model.values import Json, Raw

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML that was built without libyaml reads the same, slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # the same interface

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SHORT_WITHOUT_PREFIX = {"Ref", "Condition"}
_MERGE = "tag:yaml.org,2002:merge"
_FLOW_MARKS = 1_000
_INDENT = re.compile(rf"^[ ]{{{2 * DEEPEST},}}|(?:[-?:][ ]+){{{DEEPEST},}}", re.MULTILINE)


class TemplateLoader(_Loader):
    """PyYAML's safe loader with CloudFormation's types and tags."""


class _DuplicateKey(yaml.constructor.ConstructorError):
    """A mapping that has one key twice."""


def load_yaml(text: str, name: str) -> Json:
    """The content of a YAML text of one document.

    Raises:
        LambdaPatternsError: where it is no YAML, with the line.
    """
    try:
        _check_depth(text)
        return yaml.load(text, Loader=TemplateLoader)  # noqa: S506  # the loader is a safe one
    except _DuplicateKey as error:
        raise LambdaPatternsError(duplicate_key(_where(name, error), str(error.problem))) from None
    except yaml.YAMLError as error:
        raise LambdaPatternsError(f"{_where(name, error)}: no YAML: {_problem(error)}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise LambdaPatternsError(f"{name}: no YAML: {error} does not fit its tag") from None


def compose(text: str) -> Node | None:
    """The nodes of a YAML text, which know their lines."""
    return yaml.compose(text, Loader=TemplateLoader)


def _where(name: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f"{name}:{mark.line + 1}" if mark is not None else name


def _problem(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    context = getattr(error, "context", None)
    return f"{context}, {problem}" if context else str(problem)


def _check_depth(text: str) -> None:
    """Refuse deep nesting before nodes are composed, which libyaml's binding does by recursion in C."""
    if text.count("[") + text.count("{") < _FLOW_MARKS and not _INDENT.search(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=TemplateLoader):
        if isinstance(event, yaml.events.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                problem = f"it is nested more than {DEEPEST} levels deep: flatten it"
                mark = cast("yaml.Mark", event.start_mark)  # the C binding's marks are like these
                raise yaml.constructor.ConstructorError(None, None, problem, mark)
        elif isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1


def _mapping(loader: SafeConstructor, node: Node) -> Raw:
    if not isinstance(node, yaml.MappingNode):
        return _refused(loader, node)
    found: Raw = {}
    merged: list[Json] = []
    for key_node, value_node in node.value:
        if key_node.tag == _MERGE:
            merged.append(loader.construct_object(value_node, deep=True))
            continue
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, "a key that is a list or mapping: keys are text", key_node.start_mark
            )
        key = key_node.value
        if key in found:
            raise _DuplicateKey(None, None, key, key_node.start_mark)
        found[key] = loader.construct_object(value_node, deep=True)
    for source in merged:
        for mapping in source if isinstance(source, list) else [source]:
            if not isinstance(mapping, dict):
                raise yaml.constructor.ConstructorError(
                    None, None, "a merge (<<) of what is no mapping", node.start_mark
                )
            for key, value in mapping.items():
                found.setdefault(key, value)
    return found


def _sequence(loader: SafeConstructor, node: Node) -> list[Json]:
    if not isinstance(node, yaml.SequenceNode):
        return _refused(loader, node)
    return [loader.construct_object(item, deep=True) for item in node.value]


def _boolean(_loader: object, node: yaml.ScalarNode) -> bool:
    return _BOOLEANS[str(node.value).lower()]


def _integer(_loader: object, node: yaml.ScalarNode) -> int:
    return int(node.value)


def _float(_loader: object, node: yaml.ScalarNode) -> float:
    return float(node.value)


def _text(_loader: object, node: yaml.ScalarNode) -> str:
    return str(node.value)


def _null(_loader: object, _node: yaml.ScalarNode) -> None:
    return None


def _function(loader: SafeConstructor, suffix: str, node: Node) -> Json:
    """A short form: ``!Sub`` is ``Fn::Sub``, ``!GetAtt A.B`` is ``Fn::GetAtt: [A, B]``."""
    if not suffix or not suffix.isalnum():
        raise yaml.constructor.ConstructorError(None, None, f"unknown tag !{suffix}", node.start_mark)
    content: Json
    if isinstance(node, yaml.ScalarNode):
        content = node.value
        if suffix == "GetAtt" and "." in content:
            content = content.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        content = _sequence(loader, node)
    else:
        content = _mapping(loader, cast("yaml.MappingNode", node))
    return {suffix if suffix in _SHORT_WITHOUT_PREFIX else f"Fn::{suffix}": content}


def _refused(_loader: object, node: Node) -> NoReturn:
    raise yaml.constructor.ConstructorError(None, None, f"unknown tag {node.tag}", node.start_mark)


_CORE = "tag:yaml.org,2002:"
TemplateLoader.yaml_constructors = {
    f"{_CORE}map": _mapping,
    f"{_CORE}seq": _sequence,
    f"{_CORE}bool": _boolean,
    f"{_CORE}int": _integer,
    f"{_CORE}float": _float,
    f"{_CORE}str": _text,
    f"{_CORE}null": _null,
    f"{_CORE}timestamp": _text,
    None: _refused,
}
TemplateLoader.yaml_multi_constructors = {"!": _function}
TemplateLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    (
        "bool",
        r"^(?:true|True|TRUE|yes|Yes|YES|on|On|ON|false|False|FALSE|no|No|NO|off|Off|OFF)$",
        "tTyYoOfFnN",
    ),
    ("int", r"^[-+]?(?:0|[1-9][0-9]{0,17})$", "-+0123456789"),
    ("float", r"^[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]{1,3})?$", "-+0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("merge", r"^<<$", "<"),
):
    TemplateLoader.add_implicit_resolver(
        f"{_CORE}{_tag}", re.compile(_pattern), list(_first.replace("\0", ""))
    )
TemplateLoader.yaml_implicit_resolvers.setdefault("", []).append((f"{_CORE}null", re.compile(r"^$")))
