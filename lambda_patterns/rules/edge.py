"""What CloudFront refuses at the edge: Lambda@Edge functions and CloudFront Functions."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from lambda_patterns.facts import edge
from lambda_patterns.facts.runtimes import runtime
from lambda_patterns.model.assets import asset_path, unzipped_size
from lambda_patterns.model.edge import PRINCIPAL, behaviors, edge_functions, trusts_edge
from lambda_patterns.model.values import Reference, Text, Unknown, plain
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

_FUNCTION = "AWS::Lambda::Function"
_VIEWER = ("viewer-request", "viewer-response")


def _edge_refused(deployment: Deployment) -> Iterator[Found]:
    yield from _unpublished(deployment)
    for function, events in edge_functions(deployment).items():
        yield from _region_and_size(function)
        yield from _settings(function, events)
        yield from _features(function)
        role = function.resource("Role")
        if events and role is not None and role.type == "AWS::IAM::Role" and trusts_edge(role) is False:
            what = f"its role {role.id} does not trust {PRINCIPAL}"
            yield Found(function, ("Role",), what, f"let {PRINCIPAL} assume it, beside lambda.amazonaws.com")
    for version in deployment.of_type("AWS::Lambda::Version"):
        provisioned = version.get("ProvisionedConcurrencyConfig")
        used = provisioned is not None and not isinstance(provisioned, Unknown)
        if used and version.resource("FunctionName") in edge_functions(deployment):
            what = "provisioned concurrency at the edge, allowed is none"
            yield Found(
                version, ("ProvisionedConcurrencyConfig",), what, "delete ProvisionedConcurrencyConfig"
            )


def _unpublished(deployment: Deployment) -> Iterator[Found]:
    for behavior in behaviors(deployment):
        for index, _, arn in behavior.lambdas:
            named = deployment.resource_of(arn) if isinstance(arn, Reference) else None
            end = arn.parts[-1] if isinstance(arn, Text) else arn
            problem = None
            if named is not None and named.type == _FUNCTION:
                problem = f"the unpublished function {named.id}"
            elif named is not None and named.type == "AWS::Lambda::Alias":
                problem = f"the alias {named.id}"
            elif isinstance(end, str) and end.endswith("$LATEST"):
                problem = "$LATEST"
            if problem:
                path = (*behavior.path, "LambdaFunctionAssociations", index, "LambdaFunctionARN")
                what = f"{problem} at the edge, allowed is a numbered version"
                yield Found(
                    behavior.distribution, path, what, "name an AWS::Lambda::Version (current_version)"
                )


def _region_and_size(function: Resource) -> Iterator[Found]:
    region = plain(function.environment[0])
    if region not in (None, edge.REGION):
        what = f"a function at the edge in {region}, allowed is {edge.REGION}"
        yield Found(function, (), what, f"put it into a stack of {edge.REGION} (EdgeFunction does)")
    path = asset_path(function)
    size = unzipped_size(function)
    if path is not None and size is not None and size > edge.ZIP_BYTES.high:
        zipped = path.stat().st_size if path.is_file() else _zipped(path)
        if problem := edge.ZIP_BYTES.problem(zipped):
            yield Found(function, ("Code",), problem, "leave out what the code does not import")


def _zipped(folder: Path) -> int:
    """Measure a folder as a zip file would hold it, at the strongest compression."""
    total = 0
    for file in folder.rglob("*"):
        if file.is_file():
            packer = zlib.compressobj(9)
            with file.open("rb") as content:
                while chunk := content.read(1 << 20):
                    total += len(packer.compress(chunk))
            total += len(packer.flush())
    return total


def _settings(function: Resource, events: set[str | None]) -> Iterator[Found]:
    timeout = function.number("Timeout")
    if isinstance(timeout, int | float) and timeout > edge.TIMEOUT.high:
        yield Found(function, ("Timeout",), edge.TIMEOUT.problem(timeout) or "", "set Timeout to at most 30")
    memory = function.number("MemorySize")
    if events & set(_VIEWER) and isinstance(memory, int | float) and memory > edge.VIEWER_MEMORY.high:
        problem = edge.VIEWER_MEMORY.problem(memory) or ""
        fix = "set MemorySize to 128, or use the function for origin events"
        yield Found(function, ("MemorySize",), problem, fix)
    storage = function.number("EphemeralStorage", "Size")
    if isinstance(storage, int | float) and storage > edge.EPHEMERAL_STORAGE.high:
        problem = edge.EPHEMERAL_STORAGE.problem(storage) or ""
        yield Found(function, ("EphemeralStorage", "Size"), problem, "delete EphemeralStorage")
    name = function.text("Runtime")
    known = runtime(name) if isinstance(name, str) else None
    if known is not None and known.language not in edge.RUNTIME_FAMILIES:
        what = f"{name} at the edge, allowed are Node.js and Python"
        yield Found(function, ("Runtime",), what, "write it in Node.js or Python")


# property path -> what it is called, and what to do
_FEATURES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("VpcConfig", "SubnetIds"), "a VPC", "delete VpcConfig; the edge is outside every VPC"),
    (("Environment", "Variables"), "environment variables", "put the values into the code, or fetch them"),
    (("Layers",), "layers", "put them into the package"),
    (("DeadLetterConfig", "TargetArn"), "a dead-letter queue", "delete DeadLetterConfig"),
    (("FileSystemConfigs",), "a file system", "delete FileSystemConfigs; it needs a VPC"),
    (("Code", "SourceKMSKeyArn"), "a package encrypted with a customer key", "delete SourceKMSKeyArn"),
)


def _features(function: Resource) -> Iterator[Found]:
    for path, name, fix in _FEATURES:
        value = function.get(*path)
        if value and not isinstance(value, Unknown):
            yield Found(function, path, f"{name} at the edge, allowed is none", fix)
    if function.text("PackageType") == "Image":
        yield Found(
            function, ("PackageType",), "a container image at the edge, allowed is a zip file", "use a zip"
        )
    architectures = function.list("Architectures")
    if not isinstance(architectures, Unknown) and "arm64" in architectures:
        yield Found(
            function, ("Architectures",), "arm64 at the edge, allowed is x86_64", "delete Architectures"
        )
    if function.text("TracingConfig", "Mode") == "Active":
        yield Found(
            function, ("TracingConfig",), "X-Ray at the edge, allowed is none", "delete TracingConfig"
        )


def _function_refused(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type("AWS::CloudFront::Function"):
        yield from _code(function)
    for behavior in behaviors(deployment):
        at_edge = {event for _, event, _ in behavior.lambdas}
        for index, event in behavior.functions:
            path = (*behavior.path, "FunctionAssociations", index, "EventType")
            if event is not None and event not in _VIEWER:
                what = f"a CloudFront Function for {event}, allowed are viewer-request and viewer-response"
                yield Found(behavior.distribution, path, what, "use Lambda@Edge for origin events")
            elif event is not None and at_edge & set(_VIEWER):
                what = f"a CloudFront Function for {event} beside Lambda@Edge for a viewer event"
                fix = "use one of the two for the viewer events of a behavior"
                yield Found(behavior.distribution, path, what, fix)


def _code(function: Resource) -> Iterator[Found]:
    code = function.get("FunctionCode")
    known = "".join(part for part in code.parts if isinstance(part, str)) if isinstance(code, Text) else code
    if isinstance(known, str) and (problem := edge.FUNCTION_BYTES.problem(len(known.encode()))):
        fix = "shorten or minify it, move data to a key value store, or use Lambda@Edge"
        yield Found(function, ("FunctionCode",), problem, fix)
    name = function.text("FunctionConfig", "Runtime")
    if isinstance(name, str) and name not in edge.FUNCTION_RUNTIMES:
        what = f"runtime {name!r}, allowed are {' and '.join(edge.FUNCTION_RUNTIMES)}"
        yield Found(function, ("FunctionConfig", "Runtime"), what, "write cloudfront-js-2.0")
    path = ("FunctionConfig", "KeyValueStoreAssociations")
    stores = function.list(*path)
    if isinstance(stores, Unknown) or not stores:
        return
    if problem := edge.FUNCTION_STORES.problem(len(stores)):
        yield Found(function, path, problem, "keep one store")
    if name == "cloudfront-js-1.0":
        what = "a key value store with cloudfront-js-1.0, allowed is cloudfront-js-2.0"
        yield Found(function, path, what, "write cloudfront-js-2.0", subject="runtime")


RULES = (
    Rule(
        name="edge-function-refused",
        topic="edge",
        severity=Severity.ERROR,
        forbids=(
            "a Lambda@Edge function against the edge limits (Region, memory, timeout, size, environment, "
            "VPC, layers, image, arm64, unpublished version)"
        ),
        why="CloudFront refuses to associate such a function with a distribution",
        fix="take off what the edge does not have",
        source=edge.RESTRICTIONS,
        check=_edge_refused,
        exceptions=(
            "more than 128 MB for origin events",
            "a stack whose Region is not known",
            "a function of another account or stack that is only named by its ARN",
        ),
    ),
    Rule(
        name="cloudfront-function-refused",
        topic="edge",
        severity=Severity.ERROR,
        forbids="a CloudFront Function over its limits",
        why="CloudFront refuses the function or its association",
        fix="keep within 10 KB of code, one key value store and viewer events",
        source=edge.QUOTAS,
        check=_function_refused,
        exceptions=("code that is put together at deployment counts with what is known of it",),
    ),
)
