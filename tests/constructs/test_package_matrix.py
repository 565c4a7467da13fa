"""Every runtime that Lambda still takes, in every package it can come in, synthesized in one stack."""

import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from lambda_patterns.constructs import PlainFunction
from lambda_patterns.constructs.built_package import built_package
from lambda_patterns.constructs.package import Package, directory_package
from lambda_patterns.constructs.python_package import python_package
from lambda_patterns.facts.runtimes import Runtime, runtimes

pytestmark = pytest.mark.cdk
FUNCTIONS = Path(__file__).parents[2] / "functions"
TODAY = date(2026, 11, 24)
SUPPORTED = [runtime for runtime in runtimes().values() if runtime.deprecated and runtime.deprecated > TODAY]
FAMILIES = {
    "python": lambda_.RuntimeFamily.PYTHON,
    "nodejs": lambda_.RuntimeFamily.NODEJS,
    "java": lambda_.RuntimeFamily.JAVA,
    "dotnet": lambda_.RuntimeFamily.DOTNET_CORE,
    "ruby": lambda_.RuntimeFamily.RUBY,
    "provided": lambda_.RuntimeFamily.OTHER,
}
HANDLERS = {
    "python": "handler.handler",
    "nodejs": "handler.handler",
    "java": "Handler::handle",
    "dotnet": "Greeting::Greeting.Greeter::Handle",
    "ruby": "handler.handler",
    "provided": "bootstrap",
}
ARCHITECTURES = (lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path / "cache"))


def package(language: str, tmp_path: Path) -> Package:
    """The example of a language; what a toolchain builds stands in by its sources."""
    if language == "python":
        return python_package(FUNCTIONS / "record_event")
    folders = {
        "nodejs": "settle_orders",
        "ruby": "mask_card",
        "java": "validate_iban",
        "dotnet": "greet_customer",
    }
    if language in folders:
        return directory_package(FUNCTIONS / folders[language], exclude=["build"])
    (tmp_path / "os_only").mkdir(exist_ok=True)
    (tmp_path / "os_only" / "bootstrap").write_text("#!/bin/sh\n", encoding="utf-8")
    return directory_package(tmp_path / "os_only")


def test_the_matrix_covers_every_language_of_lambda() -> None:
    assert {runtime.language for runtime in SUPPORTED} == set(FAMILIES)


def test_every_supported_runtime_is_synthesized_as_zip_on_both_architectures_and_images_beside_them(
    tmp_path: Path,
) -> None:
    stack = Stack(App(outdir=str(tmp_path / "out")), "Matrix")
    expected: list[tuple[str, str]] = []
    packages = {language: package(language, tmp_path) for language in FAMILIES}
    for runtime in SUPPORTED:
        for architecture in ARCHITECTURES:
            _zip_function(stack, runtime, architecture, packages[runtime.language])
            expected.append((runtime.name, architecture.name))
    for architecture in ARCHITECTURES:
        lambda_.DockerImageFunction(
            stack,
            f"Image-{architecture.name}",
            code=lambda_.DockerImageCode.from_image_asset(str(FUNCTIONS / "render_invoice")),
            architecture=architecture,
        )
    functions = Template.from_stack(stack).find_resources("AWS::Lambda::Function")
    found = [function["Properties"] for function in functions.values()]
    zips = sorted((each["Runtime"], *each["Architectures"]) for each in found if "Runtime" in each)
    images = [each for each in found if each.get("PackageType") == "Image"]
    assert zips == sorted(expected)
    assert sorted(each["Architectures"][0] for each in images) == ["arm64", "x86_64"]
    assert all("ImageUri" in each["Code"] and "Handler" not in each for each in images)


def _zip_function(stack: Stack, runtime: Runtime, architecture: lambda_.Architecture, code: Package) -> None:
    options: dict[str, Any] = {}
    if runtime.snap_start:
        options["snap_start"] = lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS
    chosen = lambda_.Runtime(runtime.name, FAMILIES[runtime.language], supports_snap_start=runtime.snap_start)
    PlainFunction(
        stack,
        f"{runtime.name.replace('.', '-')}-{architecture.name}",
        code=code.code,
        handler=HANDLERS[runtime.language],
        runtime=chosen,
        architecture=architecture,
        **options,
    )


@pytest.mark.skipif(shutil.which("javac") is None, reason="this machine has no Java toolchain")
def test_the_java_example_is_built_and_knows_a_valid_iban(tmp_path: Path) -> None:
    root = tmp_path / "validate_iban"
    shutil.copytree(FUNCTIONS / "validate_iban", root)
    built = built_package(
        root, command=["javac", "--release", "17", "-d", "build", "Handler.java"], output="build"
    )
    assert [name for name, _ in built.parts] == ["Handler.class"]
    probe = tmp_path / "Probe.java"
    probe.write_text(
        "class Probe { public static void main(String[] a) { for (String iban : a) "
        'System.out.println(new Handler().handle(java.util.Map.of("iban", iban)).get("valid")); } }',
        encoding="utf-8",
    )
    ibans = ["GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33", "x"]
    done = subprocess.run(
        [shutil.which("java") or "java", "-cp", str(built.path), str(probe), *ibans],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["true", "false", "false"]
