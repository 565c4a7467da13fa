"""What a build kept beside its sources, taken on a machine without the toolchain."""

import json
import zipfile
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Annotations, Match, Template

from lambda_patterns.constructs import PlainFunction
from lambda_patterns.constructs.built_package import Build, built_package, keep_built
from lambda_patterns.errors import ArgumentError, LambdaPatternsError
from stacks.builds import BUILDS
from stacks.handlers import FUNCTIONS

pytestmark = pytest.mark.cdk

BUILD: Build = {
    "command": ["compile", "main"],
    "output": "out",
    "environment": {"LEVEL": "2"},
    "sources": ["*.src", "parts/*.src"],
}
MISSING = "is built with compile, which is not installed"


@pytest.fixture
def toolchain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler on PATH that joins the sources, and a cache of the test's own."""
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path / "cache"))
    program = tmp_path / "bin" / "compile"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nmkdir -p out && cat *.src > out/bootstrap && printf "$LEVEL" >> out/bootstrap\n'
        "chmod +x out/bootstrap\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return program


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "function"
    (folder / "parts").mkdir(parents=True)
    (folder / "main.src").write_text("main", encoding="utf-8")
    (folder / "parts" / "one.src").write_text("one", encoding="utf-8")
    return folder


@pytest.fixture
def kept(toolchain: Path, root: Path) -> str:
    """The hash of what was built and kept; the compiler is gone by then."""
    digest = keep_built(root, **BUILD).digest
    toolchain.unlink()
    return digest


def test_a_machine_without_the_toolchain_takes_the_very_package_that_was_built(kept: str, root: Path) -> None:
    package = built_package(root, **BUILD)
    assert package.digest == kept
    assert (package.path / "bootstrap").read_text(encoding="utf-8") == "main2"
    assert (package.path / "bootstrap").stat().st_mode & 0o777 == 0o755
    said = (
        "function: compile is not installed here, so this is what `LEVEL=2 compile main` made earlier of the "
        "same sources (prebuilt.zip)"
    )
    assert package.report() == f"5 bytes: bootstrap 5 ({said})"


def test_the_function_says_that_it_was_built_elsewhere_and_one_that_was_built_here_says_nothing(
    toolchain: Path, root: Path, tmp_path: Path
) -> None:
    stack = Stack(App(outdir=str(tmp_path / "out")), "S")
    for name in ("Here", "Elsewhere"):
        PlainFunction(
            stack,
            name,
            code=keep_built(root, **BUILD).code if name == "Here" else built_package(root, **BUILD).code,
            handler="bootstrap",
            runtime=lambda_.Runtime.PROVIDED_AL2023,
        )
        toolchain.unlink(missing_ok=True)
    notes = Annotations.from_stack(stack).find_info("*", Match.string_like_regexp("prebuilt"))
    assert [note.id for note in notes] == ["/S/Elsewhere"]
    functions = Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    first, second = (each["Properties"]["Code"] for each in functions)
    assert first == second


def test_where_the_toolchain_is_the_build_runs_whatever_was_kept(toolchain: Path, root: Path) -> None:
    keep_built(root, **BUILD)
    (root / "main.src").write_text("changed", encoding="utf-8")
    package = built_package(root, **BUILD)
    assert (package.path / "bootstrap").read_text(encoding="utf-8") == "changed2"
    assert package.note == ""
    assert toolchain.exists()


@pytest.mark.parametrize("source", ["main.src", "parts/one.src", "parts/two.src"])
def test_what_was_made_of_other_sources_is_refused(kept: str, root: Path, source: str) -> None:
    (root / source).write_text("changed", encoding="utf-8")
    with pytest.raises(LambdaPatternsError) as refused:
        built_package(root, **BUILD)
    assert kept not in str(refused.value)
    assert str(refused.value) == (
        f"{root} {MISSING}, and prebuilt.zip was made from other sources: "
        "run keep_built on a machine with compile"
    )


@pytest.mark.usefixtures("kept")
def test_what_was_made_by_another_command_is_refused(root: Path) -> None:
    other: Build = {**BUILD, "environment": {"LEVEL": "3"}}
    with pytest.raises(LambdaPatternsError) as refused:
        built_package(root, **other)
    assert str(refused.value) == (
        f"{root} {MISSING}, and prebuilt.zip was made by `LEVEL=2 compile main` instead of "
        "`LEVEL=3 compile main`: run keep_built on a machine with compile"
    )


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("damage", ["gone", "no zip file", "other content"])
def test_a_damaged_archive_is_refused(root: Path, damage: str) -> None:
    archive = root / "prebuilt.zip"
    archive.unlink()
    if damage == "no zip file":
        archive.write_bytes(b"PK")
    elif damage == "other content":
        with zipfile.ZipFile(archive, "w") as content:
            content.writestr("bootstrap", "other")
    with pytest.raises(LambdaPatternsError) as refused:
        built_package(root, **BUILD)
    assert str(refused.value) == (
        f"{root} {MISSING}, and {archive} is not what prebuilt.json says: "
        "run keep_built on a machine with compile"
    )


@pytest.mark.usefixtures("kept")
def test_notes_that_cannot_be_read_are_refused_in_one_line(root: Path) -> None:
    (root / "prebuilt.json").write_text("{", encoding="utf-8")
    with pytest.raises(LambdaPatternsError, match=r"prebuilt\.json cannot be read: Expecting property"):
        built_package(root, **BUILD)
    (root / "prebuilt.json").write_text("[]", encoding="utf-8")
    with pytest.raises(LambdaPatternsError, match="was made from other sources"):
        built_package(root, **BUILD)


def test_without_the_toolchain_and_with_nothing_kept_the_build_is_refused(root: Path) -> None:
    with pytest.raises(LambdaPatternsError) as refused:
        built_package(root, **BUILD)
    assert str(refused.value) == (
        f"{root} {MISSING}, and nothing that it built is kept there: "
        "install it, or run keep_built where it is"
    )
    with pytest.raises(LambdaPatternsError) as refused:
        keep_built(root, **BUILD)
    assert str(refused.value) == f"{root} {MISSING}"


def test_what_is_kept_needs_the_names_of_its_sources(root: Path) -> None:
    with pytest.raises(ArgumentError) as refused:
        keep_built(root, command=["compile"], output="out")
    assert str(refused.value) == (
        f"sources: {root} needs the names of what its build reads, to keep what it makes"
    )
    with pytest.raises(ArgumentError) as refused:
        keep_built(root, command=["compile"], output="out", sources=["*.go"])
    assert str(refused.value) == f"sources: '*.go' names no file in {root}"


KEPT = sorted(path.parent.name for path in FUNCTIONS.glob("*/prebuilt.json"))


def test_every_compiled_example_but_dotnet_keeps_what_its_build_made() -> None:
    assert sorted(BUILDS) == sorted([*KEPT, "greet_customer"])


@pytest.mark.parametrize("name", KEPT)
def test_what_an_example_keeps_was_made_of_the_sources_beside_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    package = built_package(FUNCTIONS / name, **BUILDS[name])
    notes = json.loads((FUNCTIONS / name / "prebuilt.json").read_text(encoding="utf-8"))
    assert package.digest == notes["package"]
    assert (FUNCTIONS / name / "prebuilt.zip").stat().st_size < 1_000_000


def test_the_dotnet_example_is_refused_where_there_is_no_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        LambdaPatternsError, match="dotnet, which is not installed, and nothing that it built"
    ):
        built_package(FUNCTIONS / "greet_customer", **BUILDS["greet_customer"])
