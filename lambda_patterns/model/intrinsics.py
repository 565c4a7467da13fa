"""The intrinsic functions of a template, each followed to a `Value` in the scope that it is written in.

What a function names and the template does not have gives `Unknown`; `lambda_patterns.model.dangling` lists
it.

Not modelled: macros (Fn::Transform), rule functions (Fn::Contains and its like).
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from lambda_patterns.model.texts import dynamic, join, split_list
from lambda_patterns.model.values import Reference, Text, Unknown, Zone, plain, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_patterns.model.scope import Scope
    from lambda_patterns.model.values import Json, Value

NO_VALUE: Final = Unknown("AWS::NoValue")
"""What AWS::NoValue resolves to inside the resolver, which removes it. No one outside ever sees it."""

VARIABLE = re.compile(r"\$\{([^{}]*)\}")
"""A variable of Fn::Sub; ``${!Name}`` is the literal ``${Name}``."""

_MOST_CIDRS = 256
_LONGEST_INDEX = 6
ECHOES = {
    ("AWS::EC2::VPC", "CidrBlock"): "CidrBlock",
    ("AWS::EC2::Subnet", "AvailabilityZone"): "AvailabilityZone",
    ("AWS::EC2::Subnet", "CidrBlock"): "CidrBlock",
    ("AWS::EC2::Subnet", "VpcId"): "VpcId",
    ("AWS::EC2::SecurityGroup", "VpcId"): "VpcId",
    ("AWS::RDS::DBInstance", "Endpoint.Port"): "Port",
    ("AWS::RDS::DBCluster", "Endpoint.Port"): "Port",
    ("AWS::RDS::DBProxy", "VpcId"): "VpcId",
    ("AWS::SQS::Queue", "QueueName"): "QueueName",
    ("AWS::SNS::Topic", "TopicName"): "TopicName",
}
"""Attributes that repeat a property of the resource: where it is written, GetAtt is that property's value."""


def _items(argument: Json, *lengths: int) -> list[Json] | None:
    """The arguments of a function that takes a list of them, None where they are not as many as it takes."""
    return argument if isinstance(argument, list) and len(argument) in lengths else None


def _malformed(function: str) -> Unknown:
    return Unknown(f"{function} is not written as it must be")


def _ref(scope: Scope, name: Json) -> Value:
    if not isinstance(name, str):
        return _malformed("Ref")
    if name.startswith("AWS::"):
        return scope.pseudo(name)
    if name in scope.template.section("Parameters"):
        return scope.parameter(name)
    resource = scope.resources.get(name)
    return _absent(scope, name) if resource is None else Reference(resource)


def _absent(scope: Scope, name: str) -> Unknown:
    if name in scope.template.section("Resources"):
        return Unknown(f"{name} does not exist under these conditions")
    return Unknown(f"{scope.template.name} has nothing named {name}")


def _get_att(scope: Scope, argument: Json) -> Value:
    if isinstance(argument, str):
        name, _, attribute = argument.partition(".")
        return get_attribute(scope, name, attribute)
    if not isinstance(argument, list) or not argument[1:]:
        return _malformed("Fn::GetAtt")
    steps = [written for step in argument if (written := plain(scope.resolve(step))) is not None]
    if len(steps) < len(argument):
        return Unknown("the attribute that Fn::GetAtt names is known at deployment")
    return get_attribute(scope, steps[0], ".".join(steps[1:]))


def get_attribute(scope: Scope, name: str, attribute: str) -> Value:
    """The attribute of the resource `name`, joined with what it stands for where that is in the assembly."""
    resource = scope.resources.get(name)
    if resource is None:
        return _absent(scope, name)
    if attribute.startswith("Outputs."):
        child = scope.children.get(name)
        if child is not None:
            return child.output(attribute[len("Outputs.") :])
        return Unknown(
            f"{attribute} of {name}, a stack whose template is not here",
            f"{scope.template.name}:{name}.{attribute}",
        )
    echoed = ECHOES.get((resource.type, attribute))
    if echoed:
        value = resource.get(echoed)
        if value is not None:
            return value
    carried = scope.world.exports.carried(resource, attribute)
    return Reference(resource, attribute) if carried is None else carried


def _sub(scope: Scope, argument: Json) -> Value:
    text, given = _items(argument, 2) or (argument, {})
    if not isinstance(text, str) or not isinstance(given, dict):
        return _malformed("Fn::Sub")
    if "${" not in text:
        return dynamic(text)
    parts: list[Value] = []
    end = 0
    for match in VARIABLE.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        name = match[1].strip()
        if name.startswith("!"):
            parts.append(f"${{{name[1:]}}}")
        elif name in given:
            parts.append(scope.resolve(given[name]))
        elif "." in name:
            resource, _, attribute = name.partition(".")
            parts.append(get_attribute(scope, resource, attribute))
        else:
            parts.append(_ref(scope, name))
    parts.append(text[end:])
    return join(parts)


def _join(scope: Scope, argument: Json) -> Value:
    match _items(argument, 2):
        case [str(delimiter), listed]:
            items = scope.resolve(listed)
        case _:
            return _malformed("Fn::Join")
    if isinstance(items, Unknown):
        return items
    if not isinstance(items, list):
        return Unknown("the list that Fn::Join joins is known at deployment")
    parts: list[Value] = []
    for item in items:
        if parts and delimiter:
            parts.append(delimiter)
        parts.append(item)
    return join(parts)


def _split(scope: Scope, argument: Json) -> Value:
    match _items(argument, 2):
        case [str(delimiter), text] if delimiter:
            value = scope.resolve(text)
        case _:
            return _malformed("Fn::Split")
    written = plain(value)
    if written is not None:
        return list(written.split(delimiter))
    if isinstance(value, Text) and delimiter == ",":
        return split_list(value)
    return Unknown("the text that Fn::Split splits is known at deployment")


def _select(scope: Scope, argument: Json) -> Value:
    if _items(argument, 2) is None:
        return _malformed("Fn::Select")
    written = plain(scope.resolve(argument[0]))
    if written is None or not written.isdecimal() or len(written) > _LONGEST_INDEX:
        return Unknown("the index of Fn::Select is no number, or known at deployment")
    index = int(written)
    match argument[1]:
        case {"Fn::GetAZs": region, **more} if not more:
            return _zone(scope, region, index)
        case {"Fn::Split": [str(delimiter), text], **more} if delimiter and not more:
            return _element(scope.resolve(text), delimiter, index)
        case items:
            return _item(scope.resolve(items), index)


def _item(items: Value, index: int) -> Value:
    if isinstance(items, list):
        return items[index] if index < len(items) else Unknown(f"there is no element {index} of {len(items)}")
    if isinstance(items, Unknown) and items.name:
        return Unknown(f"element {index}: {items.why}", name=f"{items.name}[{index}]")
    return Unknown(f"element {index} of a list that is known at deployment")


def _element(value: Value, delimiter: str, index: int) -> Value:
    """One element of a split text: known as far as the parts before it are, or a part of one attribute."""
    written = plain(value)
    if written is not None:
        return _item(list(written.split(delimiter)), index)
    if isinstance(value, Reference):
        return Reference(value.resource, f"{value.attribute or 'Ref'}{delimiter}{index}")
    if isinstance(value, Text) and delimiter == ",":
        return _item(split_list(value), index)
    if isinstance(value, Text) and isinstance(value.parts[0], str):
        known = value.parts[0].split(delimiter)[:-1]
        if index < len(known):
            return known[index]
    return Unknown(f"element {index} of a text that is known at deployment")


def _zone(scope: Scope, region: Json, index: int) -> Value:
    where = scope.resolve(region) or scope.pseudo("AWS::Region")
    return Zone(where, index) if isinstance(where, str | Unknown) else Unknown("the Region of Fn::GetAZs")


def _get_azs(scope: Scope, argument: Json) -> Value:
    region = scope.resolve(argument) or scope.pseudo("AWS::Region")
    return Unknown(
        "the zones of a Region are known at deployment", name=f"zones of {plain(region) or 'AWS::Region'}"
    )


def _find_in_map(scope: Scope, argument: Json) -> Value:
    if _items(argument, 3, 4) is None:
        return _malformed("Fn::FindInMap")
    name, *keys = (scope.resolve(step) for step in argument[:3])
    path = [plain(step) for step in (name, *keys)]
    if None in path:
        return next(
            (step for step in (name, *keys) if isinstance(step, Unknown)), _malformed("Fn::FindInMap")
        )
    found: Json = scope.template.section("Mappings")
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    if found is None:
        for options in argument[3:]:
            if isinstance(options, dict) and "DefaultValue" in options:
                return scope.resolve(options["DefaultValue"])
        return Unknown(f"the mappings have no {'.'.join(map(str, path))}")
    return scope.resolve(found)


def _if(scope: Scope, argument: Json) -> Value:
    if _items(argument, 3) is None:
        return _malformed("Fn::If")
    held = scope.condition(argument[0])
    if isinstance(held, bool):
        return scope.resolve(argument[1] if held else argument[2])
    either = scope.resolve(argument[1]), scope.resolve(argument[2])
    if NO_VALUE not in either and same(*either):
        return either[0]
    return Unknown(f"condition {argument[0]} is not decided")


def _import_value(scope: Scope, argument: Json) -> Value:
    name = plain(scope.resolve(argument))
    return (
        Unknown("the name of the import is known at deployment")
        if name is None
        else scope.world.exports.imported(name, scope)
    )


def _get_stack_output(scope: Scope, argument: Json) -> Value:
    if not isinstance(argument, dict):
        return _malformed("Fn::GetStackOutput")
    stack, name = (plain(scope.resolve(argument.get(key))) for key in ("StackName", "OutputName"))
    if stack is None or name is None:
        return Unknown("the stack that Fn::GetStackOutput reads is known at deployment")
    return scope.world.exports.output(stack, name, scope.resolve(argument.get("Region")), scope)


def _base64(scope: Scope, argument: Json) -> Value:
    written = plain(scope.resolve(argument))
    if written is None:
        return Unknown("the encoded text is known at deployment")
    from base64 import b64encode  # noqa: PLC0415  # 1 ms, and few templates encode

    return b64encode(written.encode(errors="surrogatepass")).decode()


def _cidr(scope: Scope, argument: Json) -> Value:
    """The blocks of 2^bits addresses that a block is cut into, counted from its start."""
    if _items(argument, 2, 3) is None:
        return _malformed("Fn::Cidr")
    block, count, bits = (plain(scope.resolve(step)) for step in (*argument, "32")[:3])
    if block is None or count is None or bits is None:
        return Unknown("the blocks that Fn::Cidr computes are known at deployment")
    from ipaddress import ip_network  # noqa: PLC0415  # 8 ms, and few templates compute blocks

    try:
        network = ip_network(block, strict=False)
        prefix = network.max_prefixlen - int(bits)
        blocks = [
            str(part) for part in islice(network.subnets(new_prefix=prefix), min(int(count), _MOST_CIDRS))
        ]
    except ValueError:
        return _malformed("Fn::Cidr")
    return list(blocks)


def _length(scope: Scope, argument: Json) -> Value:
    items = scope.resolve(argument)
    return (
        len(items) if isinstance(items, list) else Unknown("the length of a list that is known at deployment")
    )


def _to_json_string(scope: Scope, argument: Json) -> Value:
    value = scope.resolve(argument)
    try:
        return json.dumps(value, separators=(",", ":"))
    except TypeError:
        return Unknown("the JSON text contains what is known at deployment")


def _macro(_scope: Scope, _argument: Json) -> Value:
    return Unknown("a macro decides the value")


INTRINSICS: dict[str, Callable[[Scope, Json], Value]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::GetAZs": _get_azs,
    "Fn::FindInMap": _find_in_map,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::GetStackOutput": _get_stack_output,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::Length": _length,
    "Fn::ToJsonString": _to_json_string,
    "Fn::Transform": _macro,
}
