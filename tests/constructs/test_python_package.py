"""Bundling from a lock file, offline: the wheels are made here, and uv is told to look nowhere else."""

import hashlib
import zipfile
from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.constructs.package import Package
from lambda_patterns.constructs.python_package import python_package
from lambda_patterns.errors import ArgumentError, LambdaPatternsError

pytestmark = pytest.mark.cdk
ARM, X86 = lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64


def wheel(folder: Path, name: str, tag: str, needs: str | None = None) -> str:
    """Make a wheel of one module that knows its tag, and give its hash."""
    files = {
        f"{name}/__init__.py": f"TAG = {tag!r}\n",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        + (f"Requires-Dist: {needs}\n" if needs else ""),
        f"{name}-1.0.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n",
        f"{name}-1.0.dist-info/entry_points.txt": f"[console_scripts]\n{name}-tool = {name}:main\n",
    }
    record = f"{name}-1.0.dist-info/RECORD"
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as file:
        for member, content in files.items():
            file.writestr(zipfile.ZipInfo(member), content)
        file.writestr(zipfile.ZipInfo(record), "".join(f"{member},,\n" for member in (*files, record)))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path / "cache"))
    platforms = [f"cp314-cp314-manylinux_2_34_{machine}" for machine in ("x86_64", "aarch64")]
    native = [wheel(wheels, "native", tag) for tag in platforms]
    pure = [wheel(wheels, "pure", "py3-none-any")]
    root = tmp_path / "function"
    root.mkdir()
    (root / "handler.py").write_text("import native, pure\n", encoding="utf-8")
    write_lock(root / "requirements.txt", native=native, pure=pure)
    return root


def write_lock(path: Path, **hashes: list[str]) -> None:
    lines = [
        f"{name}==1.0 \\\n    " + " \\\n    ".join(f"--hash=sha256:{each}" for each in found)
        for name, found in hashes.items()
    ]
    path.write_text("# made by a test\n" + "\n".join(lines) + "\n", encoding="utf-8")


def staged(package: Package) -> set[str]:
    return {path.relative_to(package.path).as_posix() for path in package.path.rglob("*") if path.is_file()}


def test_dependencies_are_bundled_for_the_functions_platform_and_not_the_machines(project: Path) -> None:
    for architecture, machine in ((ARM, "aarch64"), (X86, "x86_64")):
        package = python_package(project, runtime=lambda_.Runtime.PYTHON_3_14, architecture=architecture)
        assert f"manylinux_2_34_{machine}" in (package.path / "native" / "__init__.py").read_text(
            encoding="utf-8"
        )


def test_the_package_holds_the_code_and_nothing_that_only_the_installer_wrote(project: Path) -> None:
    assert staged(python_package(project)) == {
        "handler.py",
        "native/__init__.py",
        "native-1.0.dist-info/METADATA",
        "native-1.0.dist-info/WHEEL",
        "native-1.0.dist-info/entry_points.txt",
        "pure/__init__.py",
        "pure-1.0.dist-info/METADATA",
        "pure-1.0.dist-info/WHEEL",
        "pure-1.0.dist-info/entry_points.txt",
    }


def test_the_same_lock_and_code_give_the_same_hash_from_another_path_and_an_empty_cache(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = python_package(project)
    moved = project.rename(tmp_path / "moved elsewhere")
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path / "another cache"))
    second = python_package(moved)
    assert first.path != second.path
    assert first.digest == second.digest


def test_a_second_bundling_needs_no_index(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = python_package(project)
    monkeypatch.setenv("UV_FIND_LINKS", "/nowhere")
    assert python_package(project) == first
    with pytest.raises(LambdaPatternsError):
        python_package(project, architecture=X86)


def test_a_folder_without_a_lock_file_is_packaged_alone(project: Path) -> None:
    (project / "requirements.txt").unlink()
    assert staged(python_package(project)) == {"handler.py"}


def test_a_requirement_without_a_hash_is_refused(project: Path) -> None:
    lock = project / "requirements.txt"
    lock.write_text("native==1.0\n", encoding="utf-8")
    with pytest.raises(ArgumentError) as refused:
        python_package(project)
    assert str(refused.value) == (
        f"lock: {lock}: 'native==1.0' has no hash: write the file with `uv pip compile --generate-hashes`, "
        "so that the same file is the same code tomorrow"
    )


def test_a_wheel_with_another_content_than_the_lock_file_names_is_refused(project: Path) -> None:
    write_lock(project / "requirements.txt", pure=["0" * 64])
    with pytest.raises(LambdaPatternsError, match=r"cannot be installed for Python 3\.14 .*[Hh]ash"):
        python_package(project)


def test_a_dependency_that_the_lock_file_forgot_is_refused(project: Path, tmp_path: Path) -> None:
    found = wheel(tmp_path / "wheels", "needy", "py3-none-any", needs="pure")
    write_lock(project / "requirements.txt", needy=[found])
    with pytest.raises(LambdaPatternsError, match="pure"):
        python_package(project)


def test_a_platform_without_a_wheel_is_one_line_that_names_it(project: Path) -> None:
    with pytest.raises(LambdaPatternsError) as refused:
        python_package(project, runtime=lambda_.Runtime.PYTHON_3_13)
    message = str(refused.value)
    assert "cannot be installed for Python 3.13 on aarch64-manylinux_2_34" in message
    assert "\n" not in message


def test_without_the_index_one_line_says_what_to_do(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UV_NO_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(LambdaPatternsError) as refused:
        python_package(project)
    message = str(refused.value)
    assert message.startswith(f"{project}/requirements.txt cannot be installed for Python 3.14 on aarch64-")
    assert message.endswith(
        f"; what a lock file names is downloaded at the first synthesis and kept in {tmp_path}/cache: run it "
        "once where the package index is reached, name another index (UV_DEFAULT_INDEX), or a folder with "
        "the wheels (UV_FIND_LINKS, with UV_NO_INDEX=1)"
    )
    assert "\n" not in message


def test_a_lock_file_that_is_not_there_and_a_runtime_that_is_no_python_are_refused(project: Path) -> None:
    with pytest.raises(ArgumentError, match=r"lock: .*gone\.txt: No such file or directory"):
        python_package(project, lock=project / "gone.txt")
    with pytest.raises(ArgumentError) as refused:
        python_package(project, runtime=lambda_.Runtime.NODEJS_24_X)
    assert str(refused.value) == (
        "runtime is nodejs24.x, a Python package needs a Python runtime (python3.14)"
    )


def test_a_file_of_the_code_that_a_dependency_also_brings_is_refused(project: Path) -> None:
    (project / "pure").mkdir()
    (project / "pure" / "__init__.py").write_text("", encoding="utf-8")
    with pytest.raises(ArgumentError, match="both bring 'pure': rename one of them"):
        python_package(project)
