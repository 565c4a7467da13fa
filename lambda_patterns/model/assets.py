"""How large a function's code or a layer is unzipped, where its asset lies in the cloud assembly.

Not modelled: container images; what a deployment downloads (S3ObjectStorageMode).
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lambda_patterns.model.template import Resource

UNPACKAGED = "local"
"""The bucket that stands for code beside a SAM template that `sam build` has not packaged yet."""

_CODE = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}


def unzipped_size(resource: Resource) -> int | None:
    """The bytes that the code of a function or a layer takes unzipped, None where they are not here.

    Args:
        resource: see `unzipped_parts`.
    """
    parts = unzipped_parts(resource)
    return None if parts is None else sum(parts.values())


def unzipped_parts(resource: Resource) -> Mapping[str, int] | None:
    """The bytes of each top-level file and folder of unzipped code, None where they are not here.

    Args:
        resource: an AWS::Lambda::Function or AWS::Lambda::LayerVersion whose code is an asset of its
            assembly, or, in a template that is not packaged yet, a folder or archive beside the template.
    """
    path = asset_path(resource)
    if path is None:
        return None
    try:
        return _measure(path, path.stat().st_mtime_ns)
    except OSError:
        return None


def asset_path(resource: Resource) -> Path | None:
    """The file or folder that the code of a function or a layer is made of, None where it is not here."""
    code = resource.get(_CODE.get(resource.type, "Code"))
    template = resource.source
    if isinstance(code, str):
        return template.path.parent / code if template.path is not None and "://" not in code else None
    key = code.get("S3Key") if isinstance(code, dict) else None
    if not isinstance(code, dict) or not isinstance(key, str):
        return None
    if code.get("S3Bucket") == UNPACKAGED and template.path is not None:
        return template.path.parent / key
    return template.assets.get(key)


@lru_cache(maxsize=256)
def _measure(path: Path, _changed: int) -> Mapping[str, int] | None:
    if path.is_dir():
        return _measure_folder(str(path))
    if path.suffix in (".zip", ".jar"):
        from zipfile import BadZipFile, ZipFile  # noqa: PLC0415  # 10 ms, and most assets are folders

        parts: dict[str, int] = {}
        try:
            with ZipFile(path) as archive:
                for entry in archive.infolist():
                    top = entry.filename.split("/", 1)[0]
                    parts[top] = parts.get(top, 0) + entry.file_size
        except BadZipFile:
            return None
        return parts
    return {path.name: path.stat().st_size}


def _measure_folder(root: str) -> Mapping[str, int]:
    parts: dict[str, int] = {}
    for folder, _, files in os.walk(root):
        inner = folder[len(root) + 1 :].split(os.sep, 1)[0]
        for file in files:
            path = os.path.join(folder, file)  # noqa: PTH118  # ten thousands of files: Path costs twice
            if os.path.exists(path):  # noqa: PTH110  # as above; a link may lead nowhere
                top = inner or file
                parts[top] = parts.get(top, 0) + os.stat(path).st_size  # noqa: PTH116  # as above
    return parts
