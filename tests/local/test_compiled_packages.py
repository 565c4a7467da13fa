"""What a function cannot load here is taken from beside the embedded AWS, and nothing else is touched."""

import io
import sysconfig
import zipfile

import pytest

from lambda_patterns.local.behaviour import compiled

OWN = sysconfig.get_config_var("EXT_SUFFIX")
FOREIGN = ".cpython-314-aarch64-linux-gnu.so"


def package(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return content.getvalue()


def names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


def test_a_package_compiled_for_another_platform_is_left_out_with_its_libraries() -> None:
    given = package(
        "handler.py",
        "psycopg/__init__.py",
        "psycopg_binary/__init__.py",
        f"psycopg_binary/_psycopg{FOREIGN}",
        "psycopg_binary.libs/libpq.so.5",
    )
    assert names(compiled.loadable(given)) == ["handler.py", "psycopg/__init__.py"]


def test_a_package_that_this_interpreter_loads_is_kept() -> None:
    given = package(f"psycopg_binary/_psycopg{OWN}", f"psycopg_binary/_psycopg{FOREIGN}")
    assert compiled.loadable(given) == given


def test_pure_code_is_the_same_bytes() -> None:
    given = package("handler.py", "data.so", "lib/plain.so")
    assert compiled.loadable(given) is given


def test_what_is_not_installed_here_is_kept_and_named(caplog: pytest.LogCaptureFixture) -> None:
    given = package(f"no_such_package/core{FOREIGN}")
    assert compiled.loadable(given) == given
    assert (
        "no_such_package was compiled for another Python or machine, and is not installed here" in caplog.text
    )
