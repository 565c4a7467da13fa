"""Writes the pages of the reference and of the rules: `python docs/generate.py`; a test compares them."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from aws_cdk import Duration

from lambda_patterns import constructs
from lambda_patterns.cli import cli
from lambda_patterns.rules.catalogue import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_patterns.rules.rule import Rule

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
RULE_PAGES = DOCS / "rules"
TEMPLATES = DOCS.parent / "tests" / "templates"
FAILURE_TARGETS = DOCS.parent / "tests" / "e2e" / "__snapshots__" / "test_failure_matrix"
WIDTH = 100
_STARS: dict[int, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def command_line() -> str:
    """Every command with its help, as the terminal shows it at 100 columns."""
    root = cli.make_context(
        "lambda-patterns", [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
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
                below = click.Context(inner, parent=context, info_name=name)
                yield from _helps(inner, below)


def constructs_page() -> str:
    """Every public name of `lambda_patterns.constructs`: signature, docstring, methods."""
    parts = ["# The constructs", "", "`from lambda_patterns.constructs import ...`"]
    for name in constructs.__all__:
        thing = getattr(constructs, name)
        parts += ["", f"## {name}", ""]
        if not inspect.isclass(thing) and not inspect.isfunction(thing):
            parts += [f"`{thing}`"]
            continue
        parts += _entry(name, thing)
        if inspect.isclass(thing):
            for method, function in sorted(_members(thing).items()):
                if not method.startswith("_") and (
                    inspect.isfunction(function) or isinstance(function, classmethod)
                ):
                    parts += ["", f"### {name}.{method}", "", *_entry(method, getattr(thing, method))]
    return "\n".join(parts) + "\n"


def _members(thing: type) -> dict[str, object]:
    """What a class has of its own, and from its bases in this project that have no entry themselves."""
    found: dict[str, object] = {}
    shown = {getattr(constructs, name) for name in constructs.__all__}
    for base in reversed(thing.__mro__):
        if base is thing or (base.__module__.startswith(constructs.__name__) and base not in shown):
            found.update(vars(base))
    return found


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
    stars = _STARS.get(parameter.kind, "")
    annotated = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
    default = "" if parameter.default is parameter.empty else f" = {_value(parameter.default)}"
    return f"{stars}{parameter.name}{annotated}{default}"


def _value(value: object) -> str:
    """Write a default as the caller would."""
    if isinstance(value, Duration):
        millis = int(value.to_milliseconds())
        return f"Duration.seconds({millis // 1000})" if millis % 1000 == 0 else f"Duration.millis({millis})"
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
        elif line.startswith("    ") and not line.startswith(("     ", "    http")) and ":" in line:
            word, _, rest = line.strip().partition(":")
            lines.append(f"- `{word}`:{rest}")
        elif line.startswith("        "):
            lines.append("  " + line.strip())
        else:
            lines.append(line)
    return "\n".join(lines)


def rule_page(rule: Rule) -> str:
    """What `rule` forbids, why, and how to mend it, with its fixtures as examples."""
    return "\n".join(_rule_page(rule)) + "\n"


def _rule_page(rule: Rule) -> Iterator[str]:
    yield f"# {rule.name}"
    yield ""
    yield f"*{rule.severity.value}, family {rule.topic}*"
    yield ""
    yield f"**What must not be:** {rule.forbids}"
    yield ""
    yield f"**Why:** {rule.why}"
    yield ""
    yield f"**Fix:** {rule.fix}"
    yield ""
    yield f"**Source:** <{rule.source}>"
    yield ""
    if rule.exceptions:
        yield "## When it stays silent"
        yield ""
        yield from (f"- {exception}" for exception in rule.exceptions)
        yield ""
    broken = TEMPLATES / "bad" / f"{rule.name}.yaml"
    if not broken.exists():  # `rule-crashed`: no template can break it
        return
    yield "## Found"
    yield ""
    yield from _example(broken)
    yield "## Not found"
    yield ""
    for fixture in sorted((TEMPLATES / "good").glob(f"{rule.name}--*.yaml")):
        yield f"{fixture.stem.partition('--')[2].replace('-', ' ').capitalize()}:"
        yield ""
        yield from _example(fixture)
    yield "## Acknowledge"
    yield ""
    yield "```python"
    yield "Validations.of(construct).acknowledge("
    yield f'    Acknowledgment(id="LambdaPatterns::{rule.name}", reason="why it is right here")'
    yield ")"
    yield "```"


def _example(fixture: Path) -> Iterator[str]:
    yield "```yaml"
    yield fixture.read_text().rstrip()
    yield "```"
    yield ""


def rules_index() -> str:
    """All rules, family by family."""
    lines = ["# Rules", "", "Generated by `python docs/generate.py`.", ""]
    for topic in sorted({rule.topic for rule in RULES}):
        lines += [f"## {topic}", "", "| rule | severity | what must not be |", "|---|---|---|"]
        lines += [
            f"| [{rule.name}]({rule.name}.md) | {rule.severity.value} | {rule.forbids.replace('|', '/')} |"
            for rule in RULES
            if rule.topic == topic
        ]
        lines.append("")
    return "\n".join(lines)


def failure_targets() -> str:
    """Each trigger with each failure target, from what the end-to-end tests have seen there."""
    seen = [json.loads(path.read_text()) for path in sorted(FAILURE_TARGETS.glob("*.json"))]
    triggers = list(dict.fromkeys(trigger for cell in seen for trigger in sorted(cell["triggers"])))
    parts = [
        "# What arrives where, of what failed, and where it goes back to",
        "",
        "Each cell is a test on the embedded AWS: an event comes by the trigger, the function fails, or the",
        "service may not invoke it. What arrives is read, parsed and replayed until it has been processed.",
        "A cell gives the shape, as `failures list` shows it, and what `failures replay` sends it to.",
        "",
        "| failure target | " + " | ".join(triggers) + " |",
        "|---" * (len(triggers) + 1) + "|",
    ]
    for cell in seen:
        cells = (_cell(cell["triggers"].get(trigger)) for trigger in triggers)
        parts.append(f"| {cell['target']} | " + " | ".join(cells) + " |")
    parts += [
        "",
        "An empty cell is a pair that AWS does not have: a message of a queue goes to the dead-letter queue",
        "of that queue and to no destination, and only who hands events over keeps those that it could not.",
        "A schedule has a dead-letter queue too: what lies there is read as a rule's, but the embedded AWS",
        "does not have it. The on-failure function of these tests sends what it is given to a queue.",
    ]
    for cell in seen:
        parts += ["", f"## {cell['target']}", "", "```json", json.dumps(cell["record"], indent=2), "```"]
    return "\n".join(parts) + "\n"


def _cell(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return ""
    over = "".join(f", over {carrier}" for carrier in cell.get("via", ()))
    return f"{cell['shape']}{over}: {cell['goes_back_to']}"


def pages() -> dict[Path, str]:
    """Each generated page by its path."""
    return {
        REFERENCE / "command-line.md": command_line(),
        REFERENCE / "constructs.md": constructs_page(),
        REFERENCE / "failure-targets.md": failure_targets(),
        RULE_PAGES / "README.md": rules_index(),
        **{RULE_PAGES / f"{rule.name}.md": rule_page(rule) for rule in RULES},
    }


if __name__ == "__main__":
    wanted = pages()
    for folder in (REFERENCE, RULE_PAGES):
        folder.mkdir(exist_ok=True)
        for path in set(folder.glob("*.md")) - wanted.keys():
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text)
