"""The line of a property, found in the text when a message needs it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.model.assembly import parse

Path = tuple[str | int, ...]
KEYS = st.text(alphabet='ab"\\é{[,: ', min_size=1, max_size=4)
SHAPES = st.recursive(
    st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=15,
)


def marked(shape: Any, path: Path, marks: dict[str, Path]) -> Any:
    """Put a text that stands nowhere else at every leaf, and note its path."""
    if isinstance(shape, dict):
        return {key: marked(inner, (*path, key), marks) for key, inner in shape.items()}
    if isinstance(shape, list):
        return [marked(inner, (*path, index), marks) for index, inner in enumerate(shape)]
    mark = f"mark{len(marks)}x"
    marks[mark] = path
    return mark


@given(SHAPES, st.sampled_from([None, 0, 2, 4]), st.booleans())
def test_every_leaf_of_json_and_yaml_is_on_the_line_that_is_found(
    shape: Any,
    indent: int | None,
    as_json: bool,
) -> None:
    marks: dict[str, Path] = {}
    properties = {"V": marked(shape, ("V",), marks)}
    template = {"Description": "mark0x {[", "Resources": {"R": {"Type": "T", "Properties": properties}}}
    text = json.dumps(template, indent=indent) if as_json else yaml.safe_dump(template, width=10_000)
    (resource,) = next(parse(text, "t").deployments()).resources
    lines = text.splitlines()
    for mark, path in marks.items():
        found = resource.line(path)
        assert found is not None
        assert mark in lines[found - 1]


def test_the_line_of_what_is_not_there_is_that_of_the_nearest_that_is() -> None:
    text = '{\n"Resources": {\n"R": {\n"Type": "T",\n"Properties": {\n"A": {"B": 1}}}}}'
    (resource,) = next(parse(text, "t.json").deployments()).resources
    assert resource.line(("A", "B")) == 6
    assert resource.line(("A", "C", 7)) == 6
    assert resource.line(("Z",)) == 5
    assert resource.line() == 3


@pytest.mark.parametrize(
    "text",
    [
        "Resources: {R: {Type: T}}\n",
        "{Resources: {R: {Type: T}}}\n",
        '\ufeff{"Resources": {"R": {"Type": "T"}}}',
    ],
)
def test_a_line_is_found_in_flow_style_and_behind_a_byte_order_mark(text: str) -> None:
    (resource,) = next(parse(text.encode(), "t").deployments()).resources
    assert resource.line(("Nothing",)) == 1


def test_the_line_of_a_property_inside_a_short_form_is_that_of_the_short_form() -> None:
    value = "!If\n        - X\n        - {B: 1}\n        - {B: 2}\n"
    text = f"Resources:\n  R:\n    Type: T\n    Properties:\n      A:\n        {value}"
    (resource,) = next(parse(text, "t.yaml").deployments()).resources
    assert resource.line(("A", "B")) == 5
