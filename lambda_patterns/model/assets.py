"""How large a function's code or a layer is unzipped, where its asset lies in the cloud assembly.

Not modelled: container images; what a deployment downloads (S3ObjectStorageMode).
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_patterns.model.template import Resource

UNPACKAGED = "local"
"""The bucket that stands for code beside a SAM template that `sam build` has not packaged yet."""

_CODE = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}


def unzipped_size(resource: Resource) -> int | None:
    """The bytes that the code of a function or a layer takes unzipped, None where they are not here.

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
def _measure(path: Path, _changed: int) -> int | None:
    if path.is_dir():
        return sum(
            os.stat(os.path.join(folder, file)).st_size  # noqa: PTH116, PTH118  # ten thousands of files: Path costs twice
            for folder, _, files in os.walk(path)
            for file in files
            if os.path.exists(os.path.join(folder, file))  # noqa: PTH110, PTH118  # as above; a link may lead nowhere
        )
    if path.suffix in (".zip", ".jar"):
        from zipfile import BadZipFile, ZipFile  # noqa: PLC0415  # 10 ms, and most assets are folders

        try:
            with ZipFile(path) as archive:
                return sum(entry.file_size for entry in archive.infolist())
        except BadZipFile:
            return None
    return path.stat().st_size
