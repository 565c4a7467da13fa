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
from lambda_patterns.constructs.built_package import bootstrap_package, built_package
from lambda_patterns.constructs.package import Package, directory_package
from lambda_patterns.constructs.python_package import python_package
from lambda_patterns.facts.runtimes import Runtime, runtimes
from stacks.builds import BUILDS
from stacks.handlers import FUNCTIONS

pytestmark = pytest.mark.cdk
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


COMPILED = {"java": "validate_iban", "provided": "count_words"}
AS_THEY_ARE = {"nodejs": "settle_orders", "ruby": "mask_card"}


def package(language: str, monkeypatch: pytest.MonkeyPatch) -> Package:
    """The example of a language, built by its toolchain or kept from there.

    For .NET neither has to be there: then its sources are in the zip file, and only the template is true.
    """
    if language == "python":
        return python_package(FUNCTIONS / "record_event")
    if language in AS_THEY_ARE:
        return directory_package(FUNCTIONS / AS_THEY_ARE[language])
    if language in COMPILED:
        with monkeypatch.context() as without_toolchains:
            without_toolchains.setenv("PATH", "")
            name = COMPILED[language]
            return built_package(FUNCTIONS / name, **BUILDS[name])
    return directory_package(FUNCTIONS / "greet_customer", exclude=["build", "bin", "obj"])


def test_the_matrix_covers_every_language_of_lambda() -> None:
    assert {runtime.language for runtime in SUPPORTED} == set(FAMILIES)


def test_every_supported_runtime_is_synthesized_as_zip_on_both_architectures_and_images_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(App(outdir=str(tmp_path / "out")), "Matrix")
    expected: list[tuple[str, str]] = []
    packages = {language: package(language, monkeypatch) for language in FAMILIES}
    script = tmp_path / "script"
    script.mkdir()
    (script / "bootstrap").write_text("#!/bin/sh\n", encoding="utf-8")
    (script / "bootstrap").chmod(0o755)
    for runtime in SUPPORTED:
        for architecture in ARCHITECTURES:
            code = packages[runtime.language]
            if code.machines and architecture.name not in code.machines:  # the Go example is kept for x86_64
                code = bootstrap_package(script)
            _zip_function(stack, runtime, architecture, code)
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
@pytest.mark.parametrize("made", ["built", "kept"])
def test_the_java_example_knows_a_valid_iban(
    made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, java = tmp_path / "validate_iban", shutil.which("java") or "java"
    shutil.copytree(FUNCTIONS / "validate_iban", root)
    with monkeypatch.context() as machine:
        if made == "kept":
            machine.setenv("PATH", "")
        package = built_package(root, **BUILDS["validate_iban"])
    assert [name for name, _ in package.parts] == ["Handler.class"]
    assert bool(package.note) == (made == "kept")
    probe = tmp_path / "Probe.java"
    probe.write_text(
        "class Probe { public static void main(String[] a) { for (String iban : a) "
        'System.out.println(new Handler().handle(java.util.Map.of("iban", iban)).get("valid")); } }',
        encoding="utf-8",
    )
    ibans = ["GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33", "x"]
    done = subprocess.run(
        [java, "-cp", str(package.path), str(probe), *ibans], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["true", "false", "false"]


@pytest.mark.skipif(shutil.which("dotnet") is None, reason="this machine has no .NET SDK")
def test_the_dotnet_example_is_built(tmp_path: Path) -> None:
    root = tmp_path / "greet_customer"
    shutil.copytree(FUNCTIONS / "greet_customer", root)
    package = built_package(root, **BUILDS["greet_customer"])
    assert {"Greeting.dll", "Greeting.runtimeconfig.json"} <= {name for name, _ in package.parts}
