"""What is checked together: one template, several, or a whole cloud assembly.

`read` takes what a user has: a CloudFormation template as JSON or YAML, a SAM template, or a `cdk.out`
folder.

Not modelled: stacks that are deployed already and not in what is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.conditions import combinations
from lambda_patterns.model.deployment import Deployment, Settings
from lambda_patterns.model.scope import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

    from lambda_patterns.model.conditions import Choices
    from lambda_patterns.model.template import Template
    from lambda_patterns.model.values import Json


class Assembly:
    """Templates whose references to each other are joined.

    Args:
        name: what it was read from, as the user wrote it.
        roots: the templates that are not nested in another.
    """

    def __init__(self, name: str, roots: Sequence[Template]) -> None:
        self.name = name
        self.roots = tuple(roots)

    @property
    def templates(self) -> tuple[Template, ...]:
        """Every template, nested ones behind the one that they are nested in."""
        found: list[Template] = []
        pending = list(reversed(self.roots))
        while pending:
            template = pending.pop()
            found.append(template)
            pending.extend(reversed(template.children.values()))
        return tuple(found)

    def deployments(self, settings: Settings | None = None) -> Iterator[Deployment]:
        """Yield one deployment for each combination of undecided conditions that can occur.

        Args:
            settings: what the check is told. Default: `Settings()`.
        """
        told = settings or Settings()

        def make(choices: Choices | None) -> World:
            return World(self.roots, told.region, told.account, choices)

        for world in combinations(make):
            yield Deployment(self, told, world)


def read(path: str | PathLike[str]) -> Assembly:
    """Read a template file or a cloud assembly folder.

    Args:
        path: a CloudFormation or SAM template (JSON or YAML), or a folder that `cdk synth` wrote.

    Raises:
        LambdaPatternsError: where it cannot be read or is neither.
    """
    from lambda_patterns.model.reading import read_path  # noqa: PLC0415  # given templates need no reader

    return Assembly(str(path), read_path(path))


def parse(text: str | bytes, name: str) -> Assembly:
    """Read a template from its text, standard input say.

    Args:
        text: the template, JSON or YAML; bytes are UTF-8.
        name: what findings call it.

    Raises:
        LambdaPatternsError: where it is no template.
    """
    from lambda_patterns.model.reading import parse_template  # noqa: PLC0415  # see read

    return Assembly(name, [parse_template(text, name)])


def from_templates(templates: Mapping[str, Mapping[str, Json]]) -> Assembly:
    """Take templates that are in memory.

    Args:
        templates: name -> the template's sections, plain JSON with long intrinsics.

    Raises:
        LambdaPatternsError: where one of them is no template.
    """
    from lambda_patterns.model.reading import take_template  # noqa: PLC0415  # see read

    return Assembly(", ".join(templates), [take_template(data, name) for name, data in templates.items()])
