"""A file of scenes says what is called and what fails; what is wrong in it is one line."""

from pathlib import Path

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local import scenes

EXAMPLES = Path(__file__).parents[2] / "stacks" / "demo.yaml"


def test_the_scenes_of_the_examples_call_and_fail() -> None:
    read = scenes.read(EXAMPLES)
    assert read.calls
    assert read.failures
    assert {failure.qualifier for failure in read.failures} >= {"live"}


def test_an_empty_file_has_no_scenes(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").touch()
    assert scenes.read(tmp_path / "demo.yaml") == scenes.Scenes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("answers: []", "{path} has other keys than calls and failures"),
        ("- a", "{path} has other keys than calls and failures"),
        (
            "calls: [{stack: A}]",
            "{path}: calls: {{'stack': 'A'}} must have event, function, stack",
        ),
        (
            "failures: [{stack: A, function: B, event: 1, queue: Q, to: x}]",
            (
                "{path}: failures: {{'stack': 'A', 'function': 'B', 'event': 1, 'queue': 'Q', 'to': 'x'}} "
                "must have event, function, queue, stack and may have qualifier"
            ),
        ),
    ],
)
def test_a_wrong_file_is_said(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(text)
    with pytest.raises(LambdaPatternsError) as error:
        scenes.read(path)
    assert str(error.value) == message.format(path=path)


def test_a_missing_file_and_broken_yaml_are_said(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    with pytest.raises(
        LambdaPatternsError, match="No such file or directory; give the file of scenes with --scenes"
    ):
        scenes.read(path)
    path.write_text("calls: [")
    with pytest.raises(LambdaPatternsError, match="is no YAML"):
        scenes.read(path)
