"""Templates from files, folders and memory: recognized, checked for their shape, joined with nested ones.

Not modelled: nested templates behind an address, AWS::Include, Fn::Transform and macros of the account.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.document import decode, load
from lambda_patterns.model.lines import Locator
from lambda_patterns.model.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

    from lambda_patterns.model.values import Json, Raw

_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata",
        "Outputs", "Parameters", "Resources", "Rules", "Transform",
    }
)  # fmt: skip
_OWN_TRANSFORMS = frozenset(
    {
        "AWS::Serverless-2016-10-31",
        "AWS::LanguageExtensions",
        "AWS::SecretsManager-2020-07-23",
        "AWS::SecretsManager-2024-09-16",
    }
)
_SAM = "AWS::Serverless-2016-10-31"
MOST_TEMPLATES = 500
"""Nested templates of one assembly that are read; the outputs of those beyond are unknown."""


def read_path(path: str | PathLike[str]) -> list[Template]:
    """Read a template file or a cloud assembly folder.

    Raises:
        LambdaPatternsError: where it cannot be read or is neither.
    """
    where = Path(path)
    try:
        if where.is_dir():
            from lambda_patterns.model.cloud_assembly import read_assembly  # noqa: PLC0415  # only folders need it

            return read_assembly(where)
        if where.name.endswith(".template.json") and (where.parent / "manifest.json").is_file():
            from lambda_patterns.model.cloud_assembly import read_assembly  # noqa: PLC0415  # see above

            stack = read_assembly(where.parent, where.name)
            if stack:
                return stack
        return [_read_template(where, str(path), (), iter(range(MOST_TEMPLATES)))]
    except OSError as error:
        raise LambdaPatternsError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise LambdaPatternsError(f"{path}: is no path: {error}") from None


def _read_template(path: Path, name: str, above: tuple[Path, ...], more: Iterator[int]) -> Template:
    """Read a template file, and the templates of its nested stacks that lie beside it."""
    template = replace(parse_template(path.read_bytes(), str(path)), name=name, path=path)
    within = (*above, path.resolve())
    for logical_id, url in _nested_urls(template):
        child = path.parent / url
        if "://" in url or not child.is_file() or child.resolve() in within or next(more, None) is None:
            continue
        template.children[logical_id] = _read_template(child, f"{name}/{logical_id}", within, more)
    return template


def _nested_urls(template: Template) -> list[tuple[str, str]]:
    """Logical id and TemplateURL of each nested stack whose address is written out."""
    found = []
    for logical_id, raw in template.section("Resources").items():
        if raw.get("Type") == "AWS::CloudFormation::Stack":
            url = (raw.get("Properties") or {}).get("TemplateURL")
            if isinstance(url, str):
                found.append((logical_id, url))
    return found


def parse_template(content: str | bytes, name: str) -> Template:
    """A template from its text.

    Raises:
        LambdaPatternsError: where it is no template.
    """
    text = decode(content, name) if isinstance(content, bytes) else content
    locator = Locator(text)
    return take_template(load(text, name), name, locator)


def take_template(
    data: object, name: str, locate: Callable[[tuple[str | int, ...]], int | None] | None = None
) -> Template:
    """A template from its content, SAM expanded.

    Raises:
        LambdaPatternsError: where it is no template.
    """
    find = locate or (lambda _path: None)
    sections = _recognized(data, name)
    _check_shape(sections, name, find)
    transforms = _transforms(sections)
    if "AWS::LanguageExtensions" in transforms:
        from lambda_patterns.model.loops import expand_loops  # noqa: PLC0415  # few templates have loops

        sections = expand_loops(sections)
    resources = sections.get("Resources") or {}
    if any(logical_id.startswith("Fn::") for logical_id in resources):
        transforms.append("in Resources")
        kept = {logical_id: raw for logical_id, raw in resources.items() if not logical_id.startswith("Fn::")}
        sections = {**sections, "Resources": kept}
    if _SAM in transforms:
        from lambda_patterns.model.sam import expand_sam  # noqa: PLC0415  # an extra

        sections = expand_sam(sections, name)
    _check_shape(sections, name, find)
    macro = next((transform for transform in transforms if transform not in _OWN_TRANSFORMS), "")
    return Template(
        name, sections, locate=find, incomplete=f"the macro {macro} may change {name}" if macro else ""
    )


def _recognized(data: object, name: str) -> Raw:
    if not isinstance(data, dict):
        raise LambdaPatternsError(
            f"{name}: is {_kind(data)}, no CloudFormation template: a template is a mapping with Resources"
        )
    if not _SECTIONS & data.keys() - {"Description", "Metadata"}:
        keys = ", ".join(sorted(map(str, data))[:5]) or "nothing"
        raise LambdaPatternsError(
            f"{name}: is no CloudFormation template: it has {keys} at its top, and neither Resources nor "
            "another section of a template"
        )
    return data


def _check_shape(data: Raw, name: str, locate: Callable[[tuple[str | int, ...]], int | None]) -> None:
    problem = _misplaced(data)
    if problem is not None:
        path, found, wanted = problem
        line = locate(path)
        where = f"{name}:{line}" if line else name
        raise LambdaPatternsError(f"{where}: {'.'.join(path)} is {_kind(found)}, it must be {wanted}")


def _misplaced(data: Raw) -> tuple[tuple[str, ...], object, str] | None:
    """The first thing that is no mapping where CloudFormation wants one: its path, it, and what is wanted."""
    for section in ("Resources", "Parameters", "Mappings", "Conditions", "Outputs"):
        found = data.get(section)
        if found is not None and not isinstance(found, dict):
            return (section,), found, "a mapping"
    for logical_id, raw in (data.get("Resources") or {}).items():
        if logical_id.startswith("Fn::"):
            continue
        if not isinstance(raw, dict):
            return ("Resources", logical_id), raw, "a mapping with a Type"
        properties = raw.get("Properties")
        if properties is not None and not isinstance(properties, dict):
            return ("Resources", logical_id, "Properties"), properties, "a mapping"
    return None


def _kind(found: object) -> str:
    kinds = {list: "a list", str: "a text", dict: "a mapping", type(None): "nothing"}
    return kinds.get(type(found), f"{found!r}")


def _transforms(data: Mapping[str, Json]) -> list[str]:
    declared = data.get("Transform")
    names = declared if isinstance(declared, list) else [declared]
    return [name if isinstance(name, str) else "a macro" for name in names if name is not None]
