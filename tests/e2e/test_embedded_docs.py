"""The examples of the page on the embedded AWS run."""

import doctest
import re
from pathlib import Path

import pytest

from lambda_patterns.local import embedded

pytestmark = pytest.mark.e2e
PAGE = Path(__file__).parents[2] / "docs" / "embedded-aws.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_page_has_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_page_runs(example: str) -> None:
    exec(compile(example, str(PAGE), "exec"), {})  # noqa: S102  # the page's own example


def test_the_example_of_the_class_runs() -> None:
    assert doctest.testmod(embedded).attempted > 0
    assert doctest.testmod(embedded).failed == 0
