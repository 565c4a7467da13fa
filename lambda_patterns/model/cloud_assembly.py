"""A folder that `cdk synth` wrote: its stacks, those of its stages, their nested stacks and their assets.

What is read: ``manifest.json`` (stacks, environments, nested assemblies), ``*.assets.json`` (where the code
and the nested templates lie), ``*.metadata.json`` or the manifest's own metadata (construct paths,
acknowledgements).
Source: https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.cloud_assembly_schema-readme.html

Not modelled: container images, assets of the legacy synthesizer, missing context.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.document import decode, load
from lambda_patterns.model.reading import MOST_TEMPLATES, parse_template
from lambda_patterns.model.template import Environment, Template

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambda_patterns.model.values import Json, Raw

_STACK = "aws:cloudformation:stack"
_STAGE = "cdk:cloud-assembly"
_ASSETS = "cdk:asset-manifest"
_UNKNOWN = ("unknown-account", "unknown-region")


def read_assembly(folder: Path, only: str | None = None) -> list[Template]:
    """Read a cloud assembly.

    Args:
        folder: the folder with ``manifest.json``.
        only: the template file of the one stack that is wanted. Default: all, of all stages.

    Raises:
        LambdaPatternsError: where it is none, or something that it names cannot be read.
    """
    if not (folder / "manifest.json").is_file():
        raise LambdaPatternsError(
            f"{folder}: is no cloud assembly, it has no manifest.json: give a folder that `cdk synth` wrote "
            "(cdk.out), or a template file"
        )
    found = _Reader(only)
    templates = list(found.stacks(folder))
    if not templates and only is None:
        raise LambdaPatternsError(f"{folder}: the cloud assembly has no stacks: run `cdk synth` again")
    return templates


class _Reader:
    """Reads one assembly: each folder once, each stack under a name of its own."""

    def __init__(self, only: str | None) -> None:
        self._only = only
        self._folders: set[Path] = set()
        self._names: set[str] = set()
        self._more = iter(range(MOST_TEMPLATES))

    def stacks(self, folder: Path) -> Iterator[Template]:
        if folder.resolve() in self._folders:
            return
        self._folders.add(folder.resolve())
        artifacts = _mapping(_read(folder / "manifest.json"), "artifacts")
        assets = _assets(folder, artifacts)
        for name, artifact in artifacts.items():
            if not isinstance(artifact, dict):
                continue
            properties = _mapping(artifact, "properties")
            file, directory = properties.get("templateFile"), properties.get("directoryName")
            if artifact.get("type") == _STACK and isinstance(file, str) and self._only in (None, file):
                yield self._stack(folder, name, artifact, assets)
            elif artifact.get("type") == _STAGE and isinstance(directory, str) and self._only is None:
                yield from self.stacks(folder / directory)

    def _stack(self, folder: Path, artifact_id: str, artifact: Raw, assets: dict[str, Path]) -> Template:
        properties = _mapping(artifact, "properties")
        metadata = _metadata(folder, artifact)
        shown = artifact.get("displayName")
        path = folder / properties["templateFile"]
        paths = _template_paths(metadata)
        name = paths.get(path.name) or (shown if isinstance(shown, str) else artifact_id)
        template = self._template(path, name, f"{name} ({path.name})")
        template.environment = _environment(artifact.get("environment"))
        stack_name = properties.get("stackName", artifact_id)
        template.stack_name = stack_name if isinstance(stack_name, str) else None
        template.assets = assets
        template.construct_paths = _construct_paths(metadata, name, paths)
        template.acknowledged = _acknowledged(metadata)
        self._nest(template, metadata, paths, (path,))
        return template

    def _nest(
        self, template: Template, metadata: Raw, paths: dict[str, str], above: tuple[Path, ...]
    ) -> None:
        """Read the templates of the nested stacks, which are assets named by the end of their TemplateURL."""
        assets = template.assets
        for logical_id, raw in template.section("Resources").items():
            if raw.get("Type") != "AWS::CloudFormation::Stack":
                continue
            url = (raw.get("Properties") or {}).get("TemplateURL")
            file = next(
                (assets[key] for text in _texts(url) if (key := text.rpartition("/")[2]) in assets), None
            )
            if file is None or file in above or not file.is_file() or next(self._more, None) is None:
                continue
            name = paths.get(file.name, f"{template.name}/{logical_id}")
            child = self._template(file, name, f"{template.name}/{logical_id}")
            child.assets = assets
            child.construct_paths = _construct_paths(metadata, name, paths)
            child.acknowledged = template.acknowledged
            template.children[logical_id] = child
            self._nest(child, metadata, paths, (*above, file))

    def _template(self, path: Path, name: str, otherwise: str) -> Template:
        """Read a template under a name, or another one where that is taken."""
        name = otherwise if name in self._names else name
        self._names.add(name)
        return replace(parse_template(_bytes(path), str(path)), name=name, path=path)


def _environment(written: object) -> Environment:
    """Account and Region of ``aws://account/region``."""
    if not isinstance(written, str):
        return Environment()
    account, _, region = written.removeprefix("aws://").partition("/")
    known = [None if not part or part in _UNKNOWN else part for part in (region, account)]
    return Environment(*known)


def _assets(folder: Path, artifacts: Raw) -> dict[str, Path]:
    """Object key -> file or folder, of every asset that the assembly publishes to S3."""
    found: dict[str, Path] = {}
    for artifact in artifacts.values():
        if not isinstance(artifact, dict) or artifact.get("type") != _ASSETS:
            continue
        manifest = _mapping(artifact, "properties").get("file")
        if isinstance(manifest, str):
            for asset in _mapping(_read(folder / manifest), "files").values():
                path = _mapping(asset, "source").get("path")
                for destination in _mapping(asset, "destinations").values():
                    key = destination.get("objectKey") if isinstance(destination, dict) else None
                    if isinstance(path, str) and isinstance(key, str):
                        found[key] = folder / path
    return found


def _metadata(folder: Path, artifact: Raw) -> Raw:
    """Construct path -> the entries that the constructs recorded."""
    found = dict(_mapping(artifact, "metadata"))
    file = artifact.get("additionalMetadataFile")
    if isinstance(file, str) and (folder / file).is_file():
        more = _read(folder / file)
        found.update(more if isinstance(more, dict) else {})
    return found


def _entries(metadata: Raw, kind: str) -> Iterator[tuple[str, Json]]:
    for path, entries in metadata.items():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("type") == kind:
                yield path.strip("/"), entry.get("data")


def _template_paths(metadata: Raw) -> dict[str, str]:
    """Template file -> the construct path of its stack."""
    entries = _entries(metadata, "aws:cdk:templateFile")
    return {file.rpartition("/")[2]: path for path, file in entries if isinstance(file, str) and path}


def _construct_paths(metadata: Raw, stack: str, paths: dict[str, str]) -> dict[str, str]:
    """Logical id -> construct path, of the constructs whose nearest stack is `stack`."""
    inner = [f"{path}/" for path in paths.values() if path.startswith(f"{stack}/")]
    return {
        logical_id: path
        for path, logical_id in _entries(metadata, "aws:cdk:logicalId")
        if isinstance(logical_id, str)
        and path.startswith(f"{stack}/")
        and not any(path.startswith(prefix) for prefix in inner)
    }


def _acknowledged(metadata: Raw) -> dict[str, dict[str, str]]:
    """Construct path -> {rule id: reason}, as ``Validations.of(construct).acknowledge(...)`` records them."""
    found: dict[str, dict[str, str]] = {}
    for path, rules in _entries(metadata, "aws:cdk:acknowledged-rules"):
        if isinstance(rules, dict):
            reasons = {rule: reason if isinstance(reason, str) else "" for rule, reason in rules.items()}
            found.setdefault(path, {}).update(reasons)
    return found


def _texts(raw: object) -> Iterator[str]:
    pending = [raw]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.values())


def _mapping(container: object, key: str) -> Raw:
    found = container.get(key) if isinstance(container, dict) else None
    return found if isinstance(found, dict) else {}


def _read(path: Path) -> Json:
    return load(decode(_bytes(path), str(path)), str(path))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LambdaPatternsError(
            f"{path}: the cloud assembly names it, and it cannot be read ({error.strerror}): "
            "run `cdk synth` again"
        ) from None
