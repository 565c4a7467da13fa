"""What would only be mocked is refused; what runs on another version is said."""

import platform

import pytest

from lambda_patterns.local.behaviour import runtimes


@pytest.mark.parametrize("runtime", ["java21", "ruby3.4", "dotnet8", "go1.x"])
def test_other_languages_are_refused(runtime: str) -> None:
    with pytest.raises(runtimes.RuntimeRefusedError) as error:
        runtimes.refuse(runtime)
    assert str(error.value) == (
        f"the embedded AWS cannot run {runtime}: it has Python, Node.js and provided.* (a binary named "
        "bootstrap) alone and would answer with a mock otherwise; leave this function's stack out here"
    )


def test_container_images_are_refused() -> None:
    with pytest.raises(runtimes.RuntimeRefusedError, match="runs no container images, for that needs Docker"):
        runtimes.refuse(None, image=True)


@pytest.mark.parametrize("runtime", ["python3.14", "nodejs24.x", "provided.al2023", None])
def test_what_runs_is_let_in(runtime: str | None) -> None:
    runtimes.refuse(runtime)


def test_another_version_is_said_and_the_same_is_not() -> None:
    here = ".".join(platform.python_version_tuple()[:2])
    assert runtimes.substitution(f"python{here}") is None
    assert runtimes.substitution("python3.99") == f"python3.99 runs on Python {here}"
    assert runtimes.substitution("nodejs24.x") is None
    assert runtimes.substitution("nodejs18.x") == "nodejs18.x runs on Node.js 24"
    assert runtimes.substitution("provided.al2023") is None
