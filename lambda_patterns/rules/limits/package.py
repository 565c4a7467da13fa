"""What a function's code may come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.facts import limits
from lambda_patterns.model.assets import unzipped_parts, unzipped_size
from lambda_patterns.model.values import Text, Unknown
from lambda_patterns.rules.limits.ranges import FUNCTION
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

LAYER = "AWS::Lambda::LayerVersion"
_SHOWN = 3
"""How many parts of a package that is too large are named."""
_OF_ZIP = ("ZipFile", "S3Bucket", "S3Key")


def _inline_bytes(code: Value) -> int:
    known = "".join(part for part in code.parts if isinstance(part, str)) if isinstance(code, Text) else code
    return len(known.encode()) if isinstance(known, str) else 0


def _layers(deployment: Deployment, function: Resource) -> list[int]:
    """Measure the function's layers that lie in the assembly."""
    listed = function.list("Layers")
    found = [] if isinstance(listed, Unknown) else [deployment.resource_of(layer) for layer in listed]
    sizes = [unzipped_size(layer) for layer in found if layer is not None and layer.type == LAYER]
    return [size for size in sizes if size is not None]


def _too_large(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        if problem := limits.INLINE_CODE_BYTES.problem(_inline_bytes(function.get("Code", "ZipFile"))):
            yield Found(function, ("Code", "ZipFile"), problem, why=limits.INLINE_CODE_BYTES.why)
        if function.text("PackageType", default="Zip") != "Zip":
            continue
        parts, layers = unzipped_parts(function) or {}, _layers(deployment, function)
        code = sum(parts.values())
        if problem := limits.UNZIPPED_BYTES.problem(code + sum(layers)):
            of_which = f" (code {code:,}, layers {sum(layers):,})" if layers else ""
            largest = sorted(parts.items(), key=lambda part: (-part[1], part[0]))[:_SHOWN]
            named = ", ".join(f"{name} {size:,}" for name, size in largest)
            yield Found(
                function,
                ("Code",),
                problem + of_which + (f"; the largest parts are {named}" if named else ""),
            )


def _mixed(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        package = function.text("PackageType", default="Zip")
        if package == "Image":
            yield from _mixed_image(function)
        elif package == "Zip":
            yield from _mixed_zip(function)


def _mixed_image(function: Resource) -> Iterator[Found]:
    why = "an image brings its own runtime, entry point and libraries; Lambda refuses the setting"
    for name in ("Runtime", "Handler"):
        value = function.get(name)
        if value is not None and not isinstance(value, Unknown):
            fix = f"delete {name}" + (
                "; the image's CMD, or ImageConfig.Command, names it" if name == "Handler" else ""
            )
            yield Found(function, (name,), f"a container image with {name}", fix, why)
    layers = function.list("Layers")
    if not isinstance(layers, Unknown) and layers:
        yield Found(function, ("Layers",), "a container image with layers", "copy them into the image", why)
    for name in _OF_ZIP:
        if function.get("Code", name) is not None and not isinstance(function.get("Code", name), Unknown):
            yield Found(
                function, ("Code", name), f"a container image with Code.{name}", "give Code.ImageUri", why
            )


def _mixed_zip(function: Resource) -> Iterator[Found]:
    uri = function.get("Code", "ImageUri")
    if uri is not None and isinstance(function.get("Code"), dict):
        what = "Code.ImageUri with PackageType Zip, which is what is assumed where none is given"
        yield Found(function, ("Code", "ImageUri"), what, "set PackageType: Image")
        return
    for name in ("Runtime", "Handler"):
        if function.get(name) is None:
            yield Found(function, (name,), f"a zip file without {name}", f"set {name} ({name.lower()}=)")


RULES = (
    Rule(
        name="package-too-large",
        topic="limits",
        severity=Severity.ERROR,
        forbids="inline code over 4 MB; an asset with its layers over 262,144,000 bytes unzipped",
        why=limits.UNZIPPED_BYTES.why,
        fix="leave out what the code does not import, load data at start to /tmp, or use an image (10 GB)",
        source=limits.QUOTAS,
        check=_too_large,
        exceptions=(
            "container images, which may have 10 GB",
            "code and layers outside the cloud assembly, whose size is not known",
        ),
    ),
    Rule(
        name="package-type-mixed",
        topic="limits",
        severity=Severity.ERROR,
        forbids="an image function with a runtime, handler or layers; a zip one without runtime or handler",
        why="Lambda cannot start a zip file without a runtime and a handler, and refuses the function",
        fix="decide for one package type and give what it needs",
        source=limits.CREATE_FUNCTION_API,
        check=_mixed,
        exceptions=(
            "an image with ImageConfig (Command, EntryPoint, WorkingDirectory)",
            "a package type or runtime that is a parameter",
        ),
    ),
)
