import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from lambda_patterns.constructs import PlainFunction
from lambda_patterns.constructs.built_package import bootstrap_package, built_package
from lambda_patterns.constructs.package import Package, directory_package
from lambda_patterns.errors import ArgumentError, LambdaPatternsError

pytestmark = pytest.mark.cdk


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path / "cache"))


def write(root: Path, **files: str) -> Path:
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_js", ".js")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


def staged(package: Package) -> list[str]:
    return sorted(
        path.relative_to(package.path).as_posix() for path in package.path.rglob("*") if path.is_file()
    )


def asset_hash(package: Package, where: Path) -> Any:
    app = App(outdir=str(where))
    stack = Stack(app, "S")
    lambda_.Function(
        stack, "F", code=package.code, handler="index.handler", runtime=lambda_.Runtime.NODEJS_24_X
    )
    Template.from_stack(stack)
    app.synth()
    assets = json.loads((where / "S.assets.json").read_text(encoding="utf-8"))["files"]
    (found,) = [key for key, asset in assets.items() if asset["source"]["packaging"] == "zip"]
    return found


def test_the_same_content_has_the_same_hash_on_two_paths_at_two_times_with_two_masks(tmp_path: Path) -> None:
    one = write(tmp_path / "one", index_js="exports.handler = 1;", lib__a_js="1")
    two = write(tmp_path / "elsewhere" / "two", lib__a_js="1", index_js="exports.handler = 1;")
    (two / "index.js").chmod(0o600)
    os.utime(two / "index.js", (1, 1))
    write(two, **{"__pycache__x.pyc": ""})
    first, second = directory_package(one), directory_package(two)
    assert first.digest == second.digest
    assert asset_hash(first, tmp_path / "out1") == asset_hash(second, tmp_path / "out2")
    assert staged(second) == ["index.js", "lib/a.js"]


@pytest.mark.parametrize("change", ["content", "name", "permission"])
def test_what_changes_the_code_changes_the_hash(tmp_path: Path, change: str) -> None:
    root = write(tmp_path / "one", index_js="1")
    before = directory_package(root).digest
    if change == "content":
        write(root, index_js="2")
    elif change == "name":
        (root / "index.js").rename(root / "main.js")
    else:
        (root / "index.js").chmod(0o755)
    assert directory_package(root).digest != before


def test_staged_files_have_normal_permissions_and_the_first_time_of_a_zip(tmp_path: Path) -> None:
    root = write(tmp_path / "one", index_js="1", run="#!/bin/sh")
    (root / "index.js").chmod(0o640)
    (root / "run").chmod(0o700)
    package = directory_package(root)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in package.path.iterdir()}
    assert modes == {"index.js": "0o644", "run": "0o755"}
    assert {path.stat().st_mtime for path in package.path.iterdir()} == {315532800}


def spoil_by_adding(staged: Path) -> None:
    (staged / "__pycache__").mkdir()
    (staged / "__pycache__" / "handler.pyc").write_bytes(b"compiled elsewhere")


def spoil_by_removing(staged: Path) -> None:
    (staged / "handler.py").unlink()


def spoil_by_cutting(staged: Path) -> None:
    (staged / "handler.py").write_text("")


def spoil_by_changing(staged: Path) -> None:
    text = (staged / "handler.py").read_text()
    (staged / "handler.py").write_text(text[::-1])


@pytest.mark.parametrize(
    "spoil",
    [spoil_by_adding, spoil_by_removing, spoil_by_cutting, spoil_by_changing],
    ids=lambda f: f.__name__,
)
def test_what_was_done_to_a_staged_package_is_undone(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """Whatever runs a handler out of the cache leaves things there; a function must not be made of them."""
    source = write(tmp_path / "source", **{"handler.py": "def handler(event, context): ..."})
    (source / "link.py").symlink_to("handler.py")
    package = directory_package(source)
    made = package.path.stat().st_ino
    assert directory_package(source).path.stat().st_ino == made, "what is whole is not made again"
    spoil(package.path)
    assert directory_package(source) == package
    assert sorted(path.name for path in package.path.rglob("*")) == ["handler.py", "link.py"]
    assert (package.path / "handler.py").read_text() == "def handler(event, context): ..."
    assert [path.name for path in package.path.parent.iterdir()] == [package.digest]


def test_what_is_excluded_by_name_or_path_is_left_out(tmp_path: Path) -> None:
    root = write(tmp_path / "one", index_js="1", tests__a_js="1", docs__a_js="1", lib__docs__b_js="1")
    assert staged(directory_package(root, exclude=["tests", "docs/*"])) == ["index.js", "lib/docs/b.js"]


def test_the_size_is_measured_and_the_largest_parts_are_named(tmp_path: Path) -> None:
    root = write(
        tmp_path / "one", index_js="x" * 10, big__a_js="x" * 1000, big__b_js="x" * 500, mid__c_js="x" * 700
    )
    package = directory_package(root)
    assert package.size == 2210
    assert package.parts == (("big", 1500), ("mid", 700), ("index.js", 10))
    assert package.report(most=2) == "2,210 bytes: big 1,500, mid 700 and 1 more"


def test_a_package_over_the_limit_is_refused_with_its_largest_parts_before_anything_is_staged(
    tmp_path: Path,
) -> None:
    root = write(tmp_path / "one", index_js="1")
    for name, size in (("numpy", 200_000_000), ("scipy", 62_144_000)):
        (root / name).mkdir()
        with (root / name / "data").open("wb") as file:
            file.truncate(size)
    with pytest.raises(ArgumentError) as refused:
        directory_package(root)
    assert str(refused.value) == (
        f"{root}: unzipped package with its layers is 262,144,001 bytes, allowed are 0-262,144,000 bytes "
        "(262,144,001 bytes: numpy 200,000,000, scipy 62,144,000, index.js 1): "
        "Lambda unpacks code, layers and a custom runtime into 250 MB"
    )
    assert not (tmp_path / "cache").exists()


def test_a_package_of_exactly_the_limit_is_taken(tmp_path: Path) -> None:
    root = tmp_path / "one"
    root.mkdir()
    with (root / "data").open("wb") as file:
        file.truncate(262_144_000)
    assert directory_package(root).size == 262_144_000


def test_a_folder_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="is no folder: a package is made of one"):
        directory_package(tmp_path / "missing")
    (tmp_path / "empty" / "__pycache__").mkdir(parents=True)
    with pytest.raises(ArgumentError, match="holds no file that would be packaged"):
        directory_package(tmp_path / "empty")


def test_a_link_within_the_package_stays_a_link_and_one_that_leads_out_is_refused(tmp_path: Path) -> None:
    root = write(tmp_path / "one", index_js="1", lib__a_js="1")
    (root / "bin").mkdir()
    (root / "bin" / "tool").symlink_to("../lib/a.js")
    package = directory_package(root)
    assert (package.path / "bin" / "tool").readlink() == Path("../lib/a.js")
    (root / "bin" / "tool").unlink()
    (root / "bin" / "tool").symlink_to("/etc/hostname")
    with pytest.raises(ArgumentError, match="is a link that leads out of the package, to /etc/hostname"):
        directory_package(root)
    (root / "bin" / "tool").unlink()
    (root / "bin" / "tool").symlink_to("gone")
    with pytest.raises(ArgumentError, match="is a link to gone, which does not exist"):
        directory_package(root)


def test_a_build_makes_the_package_and_its_failure_is_one_line(tmp_path: Path) -> None:
    root = write(tmp_path / "one", build="mkdir -p out && printf 1 > out/bootstrap && chmod +x out/bootstrap")
    package = built_package(root, command=["sh", "build"], output="out")
    assert staged(package) == ["bootstrap"]
    assert built_package(root, command=["sh", "build"], output="out/bootstrap").digest == package.digest
    with pytest.raises(LambdaPatternsError) as refused:
        built_package(root, command=["sh", "-c", "echo no such crate >&2; exit 3"], output="out")
    assert str(refused.value) == (
        f"{root}: `sh -c echo no such crate >&2; exit 3` failed with 3: no such crate"
    )


def test_a_build_without_its_toolchain_or_its_output_is_refused(tmp_path: Path) -> None:
    root = write(tmp_path / "one", source="1")
    with pytest.raises(LambdaPatternsError, match="is built with no-such-compiler, which is not installed"):
        built_package(root, command=["no-such-compiler"], output="out")
    with pytest.raises(ArgumentError, match="out is no folder"):
        built_package(root, command=["true"], output="out")


def test_a_bootstrap_must_be_there_and_executable(tmp_path: Path) -> None:
    root = write(tmp_path / "one", main="1")
    with pytest.raises(ArgumentError, match="has no file `bootstrap`"):
        bootstrap_package(root)
    write(root, bootstrap="#!/bin/sh")
    with pytest.raises(ArgumentError, match=r"is not executable: chmod \+x"):
        bootstrap_package(root)
    (root / "bootstrap").chmod(0o755)
    assert staged(bootstrap_package(root)) == ["bootstrap", "main"]


def elf(machine: int) -> bytes:
    return b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + bytes(44)


@pytest.mark.parametrize(("machine", "name"), [(62, "x86_64"), (183, "arm64")])
def test_what_is_compiled_for_another_architecture_is_refused_and_for_this_one_taken(
    tmp_path: Path, machine: int, name: str
) -> None:
    root = write(tmp_path / "one", handler="1")
    (root / "lib").mkdir()
    (root / "lib" / "fast.so").write_bytes(elf(machine))
    stack, other = Stack(App(), "S"), {"x86_64": "arm64", "arm64": "x86_64"}[name]
    options = {"handler": "bootstrap", "runtime": lambda_.Runtime.PROVIDED_AL2023}
    architectures = {"x86_64": lambda_.Architecture.X86_64, "arm64": lambda_.Architecture.ARM_64}
    code = directory_package(root).code
    PlainFunction(stack, "Fits", code=code, architecture=architectures[name], **options)
    with pytest.raises(ArgumentError) as refused:
        PlainFunction(stack, "Fails", code=code, architecture=architectures[other], **options)
    assert str(refused.value) == (
        f"code: what is compiled in it is for {name}, and the function is {other}: build it for {other}, or "
        f"make the function {name} (architecture=)"
    )
    (root / "lib" / "other.so").write_bytes(elf({62: 183, 183: 62}[machine]))
    both = directory_package(root)
    assert both.machines == {"x86_64", "arm64"}
    PlainFunction(stack, "Both", code=both.code, architecture=architectures[other], **options)


def test_scripts_and_what_nobody_loads_are_for_every_architecture(tmp_path: Path) -> None:
    root = write(tmp_path / "one", bootstrap="#!/bin/sh")
    (root / "fixture.bin").write_bytes(elf(62))
    (root / "odd.so").write_bytes(elf(8))
    assert directory_package(root).machines == frozenset()


def test_a_function_is_arm64_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    root = tmp_path / "one"
    root.mkdir()
    (root / "bootstrap").write_bytes(elf(62))
    with pytest.raises(ArgumentError, match="is for x86_64, and the function is arm64"):
        PlainFunction(
            Stack(App(), "S"),
            "Laptop",
            code=directory_package(root).code,
            handler="bootstrap",
            runtime=lambda_.Runtime.PROVIDED_AL2023,
        )
