"""Who may import whom, from the syntax trees; and what the pure layers pull in, seen in a fresh process."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "lambda_patterns"

# layer -> the layers of this package that it may import, besides itself
ALLOWED = {
    "errors": set(),
    "facts": {"errors"},
    "model": {"errors", "facts"},
    "rules": {"errors", "facts", "model"},
    "redrive": {"errors"},
    "constructs": {"errors", "facts"},
    "local": {"errors", "facts", "model"},
    "testing": {"errors", "model"},
    "cli": {"errors", "facts", "model", "rules", "redrive", "local"},
}
# the one module of the constructs that judges: the validation plugin
EXCEPTIONS = {"constructs/validation.py": {"model", "rules"}}
STANDARD = set(sys.stdlib_module_names)
# layer -> the distributions it may import, at the top of a module or inside a function
OUTSIDE = {
    "errors": set(),
    "facts": set(),
    "model": {"yaml", "samtranslator"},
    "rules": {"yaml"},
    "redrive": {"boto3", "botocore", "jmespath", "aws_lambda_powertools"},
    "constructs": {"aws_cdk", "constructs", "jsii"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def type_checking_imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import):
                    names |= {alias.name for alias in inner.names}
                elif isinstance(inner, ast.ImportFrom):
                    names.add(inner.module or "")
                    names |= {f"{inner.module}.{alias.name}" for alias in inner.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_layer_imports_only_the_layers_left_of_it(path: Path) -> None:
    layer = layer_of(path)
    if layer == "__init__":
        return
    allowed = ALLOWED[layer] | {layer} | EXCEPTIONS.get(str(path.relative_to(PACKAGE)), set())
    used = {name.split(".")[1] for name in imports(path) if name.startswith("lambda_patterns.")}
    assert used <= allowed, f"{path.relative_to(PACKAGE)} imports {sorted(used - allowed)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_layer_imports_only_the_distributions_it_may(path: Path) -> None:
    layer = layer_of(path)
    if layer not in OUTSIDE:
        return
    outside = {name.split(".")[0] for name in imports(path) - type_checking_imports(path)}
    surplus = outside - STANDARD - OUTSIDE[layer] - {"lambda_patterns"}
    assert not surplus, f"{path.relative_to(PACKAGE)} imports {sorted(surplus)}"


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


LOADED_WHEN_NEEDED = {"yaml_document.py"}
"""Modules that are imported inside a function, by the input that needs their library."""


@pytest.mark.parametrize("layer", ["facts", "model", "rules"])
def test_importing_a_pure_layer_whole_pulls_in_nothing_heavy(layer: str) -> None:
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if layer_of(path) == layer and path.name not in LOADED_WHEN_NEEDED
    ]
    loaded = modules_after("import " + ", ".join(names))
    assert not loaded & {
        "aws_cdk",
        "jsii",
        "constructs",
        "boto3",
        "botocore",
        "yaml",
        "rich",
        "samtranslator",
    }


def test_the_command_line_starts_without_what_its_commands_need() -> None:
    loaded = modules_after("import lambda_patterns.cli")
    assert not loaded & {"aws_cdk", "jsii", "boto3", "yaml", "rich", "ministack"}
