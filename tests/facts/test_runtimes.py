"""Dates, successors and languages of runtimes."""

from datetime import date

import pytest

from lambda_patterns.facts.runtimes import runtime, runtimes


@pytest.mark.parametrize(
    ("name", "language", "version", "snap_start"),
    [
        ("python3.9", "python", 309, False),
        ("python3.12", "python", 312, True),
        ("java8.al2", "java", 8, False),
        ("java11", "java", 11, True),
        ("java17.al2023", "java", 17, True),
        ("dotnet8", "dotnet", 8, True),
        ("dotnetcore3.1", "dotnet", 3, False),
        ("nodejs24.x", "nodejs", 24, False),
        ("ruby3.4", "ruby", 304, False),
        ("provided.al2023", "provided", 0, False),
    ],
)
def test_a_name_is_read(name: str, language: str, version: int, *, snap_start: bool) -> None:
    found = runtime(name)
    assert found is not None
    assert (found.language, found.version, found.snap_start) == (language, version, snap_start)


def test_successors_exist_and_outlive_what_they_follow() -> None:
    for one in runtimes().values():
        if one.successor:
            successor = runtimes()[one.successor]
            assert successor.deprecated is not None
            assert one.deprecated is not None
            assert successor.deprecated >= one.deprecated


def test_dates_are_those_of_the_published_table() -> None:
    found = runtime("python3.10")
    assert found is not None
    assert found.deprecated == date(2026, 10, 31)
    assert found.create_blocked == date(2027, 2, 1)
    assert found.update_blocked == date(2027, 3, 3)
    assert runtime("python3") is None
