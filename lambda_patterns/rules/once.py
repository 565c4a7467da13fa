"""What several rules ask of one deployment or assembly, found once."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Subject = TypeVar("Subject")
Answer = TypeVar("Answer")


def once(find: Callable[[Subject], Iterator[Answer]]) -> Callable[[Subject], tuple[Answer, ...]]:
    """Keep what `find` gives of a subject for as long as the subject lives."""
    kept: WeakKeyDictionary[Subject, tuple[Answer, ...]] = WeakKeyDictionary()

    @wraps(find)
    def found(subject: Subject) -> tuple[Answer, ...]:
        if subject not in kept:
            kept[subject] = tuple(find(subject))
        return kept[subject]

    return found
