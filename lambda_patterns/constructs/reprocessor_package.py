"""The reprocessor's code: this package's reading and replaying of failures, and what that imports."""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import lambda_patterns
from lambda_patterns.constructs.package import LEFT_OUT, Package, stage
from lambda_patterns.errors import LambdaPatternsError

HANDLER = "lambda_patterns.redrive.reprocess.handler"
# All of them pure Python: the same files for every runtime and architecture. boto3 is Lambda's own.
_IMPORTED = ("aws_lambda_powertools", "jmespath", "typing_extensions")
_OWN = ("__init__.py", "errors.py", "redrive")


def reprocessor_package() -> Package:
    """Stage the code from the environment that synthesizes, so that what is deployed is what was tested.

    Raises:
        LambdaPatternsError: a module that it imports is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        own = Path(lambda_patterns.__file__).parent
        for name in _OWN:
            _copy(own / name, root / "lambda_patterns" / name)
        for name in _IMPORTED:
            spec = find_spec(name)
            if spec is None or spec.origin is None:
                raise LambdaPatternsError(
                    f"the reprocessor needs {name}, which is not installed: pip install lambda-patterns"
                )
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            _copy(source, root / source.name)
        return stage([(root, ())])


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    else:
        shutil.copyfile(source, target)
