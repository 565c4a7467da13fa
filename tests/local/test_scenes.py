"""A file of scenes says what is called and what fails; what is wrong in it is one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local import scenes

EXAMPLES = Path(__file__).parents[2] / "stacks" / "demo.yaml"


def test_the_scenes_of_the_examples_call_and_fail() -> None:
    read = scenes.read(EXAMPLES)
    assert read.calls
    assert read.failures
    assert {failure.qualifier for failure in read.failures} >= {"live"}
    assert {kind for path in read.paths for kind in path.to} == {"bucket", "topic", "queue", "bus"}
    assert {path.replay for path in read.paths} == {"replay", "move-task", "reprocessor"}


def test_an_empty_file_has_no_scenes(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").touch()
    assert scenes.read(tmp_path / "demo.yaml") == scenes.Scenes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("answers: []", "{path} has other keys than calls, failures, paths, mends"),
        ("- a", "{path} has other keys than calls, failures, paths, mends"),
        ("calls: 3", "{path}: calls is 3, allowed is a list"),
        ("[" * 5000, "{path} is nested too deep to be read"),
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


PATH = {
    "way": "SQS",
    "stack": "A",
    "to": {"queue": "Work"},
    "event": {"id": "order-1"},
    "queue": "Dead",
    "table": "Orders",
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"to": {"stream": "S"}}, "to is {'stream': 'S'}, it must have one of bucket, topic, queue, bus"),
        ({"to": {}}, "to is {}, it must have one of bucket, topic, queue, bus"),
        ({"event": {"order": 1}}, "event is {'order': 1}, it must have an id"),
        ({"replay": "twice"}, "replay is 'twice', it must be one of replay, move-task, reprocessor"),
        ({"refused": {"function": "F"}}, "refused is {'function': 'F'}, it must have function and qualifier"),
    ],
)
def test_a_failure_path_that_cannot_be_walked_is_said(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(json.dumps({"paths": [{**PATH, **changed}]}))
    with pytest.raises(LambdaPatternsError) as error:
        scenes.read(path)
    assert str(error.value) == f"{path}: paths: SQS: {message}"


def test_a_missing_file_and_broken_yaml_are_said(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    with pytest.raises(LambdaPatternsError, match="no such file; give the file of scenes with --scenes"):
        scenes.read(path)
    path.write_text("calls: [")
    with pytest.raises(LambdaPatternsError, match="is no YAML"):
        scenes.read(path)
    path.write_bytes(b"calls: \xff")
    with pytest.raises(LambdaPatternsError, match="is no YAML: 'utf-8' codec can't decode byte 0xff"):
        scenes.read(path)
