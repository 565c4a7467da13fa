"""Loads the example handlers as Lambda does: each folder's module by itself."""

import importlib.util
from pathlib import Path
from types import ModuleType

FUNCTIONS = Path(__file__).parents[2] / "functions"


def load(name: str, module_name: str = "handler") -> ModuleType:
    place = FUNCTIONS / name / f"{module_name}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_{module_name}", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
