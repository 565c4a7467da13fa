"""Writes the reference pages from the code: `python docs/generate.py`; a test compares them with it."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from aws_cdk import Duration

from lambda_patterns import constructs
from lambda_patterns.cli import cli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REFERENCE = Path(__file__).parent / "reference"
WIDTH = 100
_WIDTHS = {"terminal_width": WIDTH, "max_content_width": WIDTH}


def command_line() -> str:
    """Every command with its help, as the terminal shows it at 100 columns."""
    root = click.Context(cli, info_name="lambda-patterns", **_WIDTHS)
    parts = [
        "# The command line",
        "",
        "Exit code 0: done, nothing found. 1: findings. 2: wrong input, in one line.",
    ]
    for title, text in _helps(cli, root):
        parts += ["", f"## {title}", "", "```", text.strip(), "```"]
    return "\n".join(parts) + "\n"


def _helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                below = click.Context(inner, parent=context, info_name=name, **_WIDTHS)
                yield from _helps(inner, below)


def constructs_page() -> str:
    """Every public name of `lambda_patterns.constructs`: signature, docstring, methods of its own."""
    parts = ["# The constructs", "", "`from lambda_patterns.constructs import ...`"]
    for name in constructs.__all__:
        thing = getattr(constructs, name)
        parts += ["", f"## {name}", ""]
        if not inspect.isclass(thing) and not inspect.isfunction(thing):
            parts += [f"`{thing}`"]
            continue
        parts += _entry(name, thing)
        if inspect.isclass(thing):
            for method, function in sorted(vars(thing).items()):
                if not method.startswith("_") and (
                    inspect.isfunction(function) or isinstance(function, classmethod)
                ):
                    parts += ["", f"### {name}.{method}", "", *_entry(method, getattr(thing, method))]
    return "\n".join(parts) + "\n"


def _entry(name: str, thing: type | Callable[..., object]) -> list[str]:
    # jsii's metaclass hides the signature of a class behind its own
    called = thing.__init__ if inspect.isclass(thing) else thing
    parameters = [p for p in inspect.signature(called).parameters.values() if p.name != "self"]
    shown = [_parameter(parameter) for parameter in parameters]
    first = next((at for at, p in enumerate(parameters) if p.kind is p.KEYWORD_ONLY), None)
    if first is not None:
        shown.insert(first, "*")
    call = f"{name}({', '.join(shown)})"
    if len(call) > WIDTH:
        call = f"{name}(\n    " + ",\n    ".join(shown) + ",\n)"
    return ["```python", call, "```", "", _docstring(thing)]


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    annotated = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
    default = "" if parameter.default is parameter.empty else f" = {_value(parameter.default)}"
    return f"{stars}{parameter.name}{annotated}{default}"


def _value(value: object) -> str:
    """Write a default as the caller would."""
    if isinstance(value, Duration):
        millis = int(value.to_milliseconds())
        return (
            f"Duration.seconds({millis // 1000})" if millis % 1000 == 0 else f"Duration.millis({millis})"
        )
    if is_dataclass(value) and not isinstance(value, type):
        shown = ", ".join(f"{one.name}={_value(getattr(value, one.name))}" for one in fields(value))
        return f"{type(value).__name__}({shown})"
    return repr(value)


def _docstring(thing: object) -> str:
    """The docstring with its sections (Args, Raises, Source) as Markdown."""
    lines = []
    for line in (inspect.getdoc(thing) or "").splitlines():
        if line in {"Args:", "Attributes:", "Raises:", "Returns:", "Yields:"}:
            lines += [f"**{line.removesuffix(':')}**", ""]
        elif line.startswith("    ") and not line.startswith("     ") and ":" in line:
            word, _, rest = line.strip().partition(":")
            lines.append(f"- `{word}`:{rest}")
        elif line.startswith("        "):
            lines.append("  " + line.strip())
        else:
            lines.append(line)
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """Each generated page by its path."""
    return {REFERENCE / "command-line.md": command_line(), REFERENCE / "constructs.md": constructs_page()}


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text)
