"""Reading a user's YAML: one clear line for whatever makes no sense."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lambda_patterns.facts.limit import Limit


def number(value: object, limit: Limit, where: str) -> float:
    """A quantity within `limit`. YAML reads 1e6 as a string: a string that is a number counts as one."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    if problem := limit.problem(value):
        raise LambdaPatternsError(f"{where}: {problem}: {limit.why}")
    assert isinstance(value, int | float)  # noqa: S101  # what `problem` has just established
    return float(value)


def mapping(data: object, where: str) -> dict[str, Any]:
    """A mapping whose keys are strings."""
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise LambdaPatternsError(f"{where} is {data!r}, allowed is a mapping of names")
    return data


def only(given: Mapping[str, object], known: Iterable[str], where: str) -> None:
    """Refuse a key that is not known, with the nearest that is."""
    names = tuple(known)
    for key in given:
        if key not in names:
            raise LambdaPatternsError(unknown(where, key, names))


def unknown(where: str, name: str, known: Iterable[str]) -> str:
    """The line that refuses a name, with the nearest that is known."""
    names = sorted(known)
    near = nearest(name, names, cutoff=0.5)
    hint = f"did you mean {near!r}?" if near else f"known are {', '.join(names) or 'none'}"
    return f"{where}: there is no {name!r}: {hint}"


def read(path: Path) -> object:
    """Parse a file of YAML or JSON, in which no key may be given twice."""
    import yaml  # noqa: PLC0415  # only who gives a file pays for it

    class Loader(yaml.SafeLoader):
        """Refuses a key that is given twice, of which YAML keeps the last in silence."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # the base's signature
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            if twice := [key for number, key in enumerate(keys) if key in keys[:number]]:
                line = node.start_mark.line + 1
                raise LambdaPatternsError(
                    f"{path}: {twice[0]!r} is given twice in the mapping of line {line}"
                )
            return super().construct_mapping(node, deep)

    try:
        with path.open(encoding="utf-8") as file:
            return yaml.load(file, Loader)  # noqa: S506  # the loader above is a SafeLoader
    except OSError as error:
        raise LambdaPatternsError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LambdaPatternsError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    except RecursionError:
        raise LambdaPatternsError(f"{path} is nested too deep to be read") from None
