"""One published version of a deployed function for each memory size; the function itself is put back at once.

Only ``$LATEST`` can be given another memory size, so it is changed for as long as it takes to publish: a
moment for each size, and only callers without a qualifier can meet it. Aliases and earlier versions are
never touched. What ``$LATEST`` had is written down in a journal before, and restored on success, on an
error, on Ctrl-C and on SIGTERM; after a crash, the next call restores it first.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from lambda_patterns.errors import ArgumentError, LambdaPatternsError
from lambda_patterns.redrive.aws import code, is_missing, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

_DESCRIPTION = "lambda-patterns tune, to be deleted"
_QUALIFIED = (1, 7)  # the colons of name:qualifier, and of a function's ARN with a qualifier
_AWS_ERRORS = (ClientError, BotoCoreError)


class TunedFunction:
    """A deployed function whose versions are made for measuring, and deleted after.

    Args:
        client: a boto3 Lambda client.
        name: its name or ARN, without a qualifier.

    Raises:
        ArgumentError: there is no such function, or its memory size is not its own to set.
        LambdaPatternsError: AWS refuses to describe it.
    """

    def __init__(self, client: LambdaClient, name: str) -> None:
        if name.count(":") in _QUALIFIED:
            raise ArgumentError(
                f"{name!r} names an alias or version: give the function, whose versions are made here"
            )
        self._client = client
        self._name = name
        try:
            self.configuration = client.get_function_configuration(FunctionName=name)
        except _AWS_ERRORS as error:
            if is_missing(error):
                raise ArgumentError(f"there is no function {name!r} in {client.meta.region_name}") from None
            raise refusal(error, f"describing {name}") from error
        self.arn = self.configuration["FunctionArn"]
        self._journal = _journal(self.arn)
        self._set: int | None = None
        if self.configuration.get("CapacityProviderConfig"):
            raise ArgumentError(f"{name} runs on managed instances: its memory does not decide its CPU alone")

    @property
    def memory(self) -> int:
        """The memory size of ``$LATEST``, MB."""
        return self.configuration["MemorySize"]

    @property
    def reserved(self) -> int | None:
        """The reserved concurrency, or None; who may not ask is told None."""
        with suppress(ClientError):
            found = self._client.get_function_concurrency(FunctionName=self._name)
            return found.get("ReservedConcurrentExecutions")
        return None

    def recover(self) -> int | None:
        """Restore the memory size that a crashed call left behind; the size, or None if none did."""
        if not self._journal.is_file():
            return None
        try:
            memory = int(json.loads(self._journal.read_text(encoding="utf-8"))["memory"])
        except ValueError:  # it ended while it wrote this, before it changed anything
            self._journal.unlink()
            return None
        self._set = self.memory
        self._restore(memory)
        self.configuration = self._client.get_function_configuration(FunctionName=self._name)
        self._delete(self._left_behind())
        return memory

    @contextmanager
    def versions(self, sizes: Sequence[int]) -> Iterator[dict[int, str]]:
        """Publish one version for each memory size, and delete them at the end, whatever happens.

        Gives size -> version, or why AWS refuses the size, after a "!".
        """
        existing = {each["Version"] for each in self._all_versions()}
        made: dict[int, str] = {}
        with _interruptible():
            try:
                self._publish(sizes, made)
                yield made
            finally:
                with _uninterruptible():
                    self._restore(self.memory)
                    numbers = {each for each in made.values() if not each.startswith("!")}
                    self._delete((numbers | set(self._left_behind())) - existing)

    def _publish(self, sizes: Sequence[int], made: dict[int, str]) -> None:
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        self._journal.write_text(json.dumps({"function": self.arn, "memory": self.memory}), encoding="utf-8")
        try:
            for size in sizes:
                made[size] = self._version(size)
        except _AWS_ERRORS as error:
            raise refusal(error, f"preparing {self._name}") from error
        finally:
            with _uninterruptible():
                self._restore(self.memory)
        try:
            for version in made.values():
                if not version.startswith("!"):
                    waiter = self._client.get_waiter("function_active_v2")
                    waiter.wait(FunctionName=self._name, Qualifier=version)
        except (*_AWS_ERRORS, WaiterError) as error:
            raise refusal(error, f"waiting for the versions of {self._name}") from error

    def _version(self, size: int) -> str:
        if size != (self._set or self.memory):
            try:
                self._client.update_function_configuration(FunctionName=self._name, MemorySize=size)
            except ClientError as error:
                if code(error) == "InvalidParameterValueException":
                    return f"!{error.response['Error']['Message']}"
                raise
            self._set = size
            self._client.get_waiter("function_updated_v2").wait(FunctionName=self._name)
        published = self._client.publish_version(
            FunctionName=self._name,
            Description=_DESCRIPTION,
            CodeSha256=self.configuration["CodeSha256"],
        )
        return published["Version"]

    def _restore(self, memory: int) -> None:
        """Give ``$LATEST`` its memory back, unless somebody else has set another one meanwhile."""
        if self._set is None:
            self._journal.unlink(missing_ok=True)
            return
        try:
            self._client.get_waiter("function_updated_v2").wait(FunctionName=self._name)
            current = self._client.get_function_configuration(FunctionName=self._name)["MemorySize"]
            if current == self._set and current != memory:
                self._client.update_function_configuration(FunctionName=self._name, MemorySize=memory)
                self._client.get_waiter("function_updated_v2").wait(FunctionName=self._name)
        except (*_AWS_ERRORS, WaiterError) as error:
            mend = f"update-function-configuration --function-name {self._name} --memory-size {memory}"
            raise LambdaPatternsError(
                f"{self._name} may still have {self._set} MB and had {memory} MB: "
                f"set it with `aws lambda {mend}` ({error})"
            ) from error
        self._set = None
        self._journal.unlink(missing_ok=True)

    def _all_versions(self) -> list[FunctionConfigurationResponseTypeDef | Any]:
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=self._name)
        return [each for page in pages for each in page["Versions"] if each["Version"] != "$LATEST"]

    def _left_behind(self) -> list[str]:
        return [each["Version"] for each in self._all_versions() if each.get("Description") == _DESCRIPTION]

    def _delete(self, versions: set[str] | list[str]) -> None:
        for version in sorted(versions):
            try:
                self._client.delete_function(FunctionName=self._name, Qualifier=version)
            except _AWS_ERRORS as error:
                if not is_missing(error):
                    raise refusal(error, f"deleting version {version} of {self._name}") from error


def _journal(arn: str) -> Path:
    root = os.environ.get("LAMBDA_PATTERNS_CACHE")
    base = (
        Path(root)
        if root
        else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lambda-patterns"
    )
    return base / "tune" / f"{hashlib.sha256(arn.encode()).hexdigest()}.json"


@contextmanager
def _interruptible() -> Iterator[None]:
    """End by SIGTERM or SIGHUP as by Ctrl-C, so that what was changed is restored."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    with _handled(interrupt, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _uninterruptible() -> Iterator[None]:
    """Put off whatever would stop the restoring, which takes seconds, until it is done."""
    asked: list[int] = []

    def remember(number: int, _frame: object) -> None:
        asked.append(number)

    with _handled(remember, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield
    if asked:
        raise KeyboardInterrupt


@contextmanager
def _handled(handler: Any, *numbers: signal.Signals) -> Iterator[None]:  # noqa: ANN401  # what signal.signal takes
    try:
        before = {number: signal.signal(number, handler) for number in numbers}
    except ValueError:  # not the main thread: it gets no signals
        yield
        return
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
