"""The command line, thin: each command is one module, imported when called, so that `check` starts fast."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING

import click

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Mapping

# command -> (module below this package, one line of help shown by `lambda-patterns --help`)
COMMANDS: Mapping[str, tuple[str, str]] = {
    "check": ("check", "Judge synthesized templates by the rules."),
    "rules": ("rules", "List the rules, or explain one."),
    "compare-paths": ("compare_paths", "Price the ways out of a VPC side by side."),
    "cost": ("cost", "Price a deployment for one month, with and without traffic."),
    "failures": ("failures", "See, understand and replay events that failed."),
    "local": ("local", "Start, stop and question the embedded AWS."),
    "trace": ("trace", "Trace one connection hop by hop, or to what stops it."),
    "tune": ("tune", "Measure a deployed function over memory sizes."),
}

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
# what the extra `redrive` brings; what else may be missing comes with `local`
_REDRIVE = {"boto3", "botocore", "jmespath", "rich"}

COLLECTIONS = (100_000, 20, 50)
"""`gc.set_threshold` of the command line: a short life, of which looking for garbage would be a fifth."""


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called; each module names its command `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command, sorted."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of `cmd_name` and give its command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"{__name__}.{COMMANDS[cmd_name][0]}").command
        assert isinstance(command, click.Command)  # noqa: S101  # narrows what importlib cannot type
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one line each, without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lambda-patterns")
def cli() -> None:
    """Check, prove and operate Lambda functions inside a VPC."""


def main() -> None:
    """Run the command line. What the user gave wrong is one line on standard error and exit code 2."""
    gc.set_threshold(*COLLECTIONS)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may know fewer letters than a template
    try:
        # no-color.org: whatever it says, click asks the terminal alone
        code = cli.main(standalone_mode=False, color=False if os.environ.get("NO_COLOR") else None)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("lambda-patterns: stopped", err=True)
        sys.exit(1)
    except BrokenPipeError:
        _discard_output()
        sys.exit(1)
    except (LambdaPatternsError, click.ClickException, ModuleNotFoundError, OSError) as error:
        click.echo(f"lambda-patterns: {_line(error)}", err=True)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def _line(error: Exception) -> str:
    """Say what was given wrong, what is not installed, or what the machine refuses."""
    match error:
        case click.ClickException():
            context = getattr(error, "ctx", None)
            help_is_at = f" (see {context.command_path} --help)" if context else ""
            return " ".join(error.format_message().split()) + help_is_at
        case ModuleNotFoundError():
            package = str(error.name).partition(".")[0]
            if package in {"None", "lambda_patterns"}:
                raise error
            extra = "redrive" if package in _REDRIVE else "local"
            return f"{package} is not installed: pip install 'lambda-patterns[{extra}]'"
        case OSError(filename=None, errno=number) if number in _FULL:
            _discard_output()
            return f"standard output: {error.strerror}"
        case OSError(filename=str(name)):
            return f"{name}: {error.strerror}"
        case _:
            return str(error)


def _discard_output() -> None:
    """Let what is left in the buffer go nowhere: the interpreter would try to write it again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
