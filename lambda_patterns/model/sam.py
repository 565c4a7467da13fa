"""SAM templates expanded with AWS's own translator, which is an extra (``lambda-patterns[sam]``).

It needs neither an account nor the network: it brings AWS's table of managed policies along, and a policy
that is not in that table keeps its name, so that what it grants is unknown.

Not modelled: applications from the Serverless Application Repository, which stay as they are written (aws_cdk
rotates secrets with one), `sam build` and its layers.
"""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.assets import UNPACKAGED

if TYPE_CHECKING:
    from lambda_patterns.model.values import Raw

_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
_APPLICATION = "AWS::Serverless::Application"
_KEPT = {name: {"Ref": name} for name in ("AWS::Region", "AWS::Partition")}


def expand_sam(template: Raw, name: str) -> Raw:
    """Expand a SAM template into CloudFormation.

    Args:
        template: the sections as they were read.
        name: what messages call it.

    Raises:
        LambdaPatternsError: where the extra is missing, or the translator refuses the template.
    """
    written = deepcopy(template)
    applications = _take_applications(written)
    if applications and not any(_is_sam(resource) for resource in written.get("Resources", {}).values()):
        return template
    try:
        from samtranslator.model.exceptions import ExceptionWithMessage  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra without types
        from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra without types
        from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra without types
    except ImportError:
        raise LambdaPatternsError(
            f"{name}: is a SAM template, and AWS's translator that expands it is not installed: "
            "pip install 'lambda-patterns[sam]'"
        ) from None
    _package(written)
    translator = Translator(None, Parser(), boto_session=SimpleNamespace(region_name="us-east-1"))
    try:
        expanded = translator.translate(
            written, parameter_values=dict(_KEPT), passthrough_metadata=True, get_managed_policy_map=dict
        )
    except ExceptionWithMessage as error:
        causes = getattr(error, "causes", None) or [error]
        raise LambdaPatternsError(
            f"{name}: no SAM: {'; '.join(_one_line(cause.message) for cause in causes)}"
        ) from None
    except Exception as error:  # noqa: BLE001 - the translator trips over malformed templates in many ways
        raise LambdaPatternsError(
            f"{name}: AWS's SAM translator failed on it ({type(error).__name__}: {_one_line(str(error))}): "
            "`sam validate --lint` may say where"
        ) from None
    finally:
        translator.metrics.publish()  # to nowhere: it complains at exit about metrics that were not
    expanded["Resources"] = {**expanded.get("Resources", {}), **applications}
    return dict(expanded)


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _is_sam(resource: object) -> bool:
    kind = resource.get("Type") if isinstance(resource, dict) else None
    return isinstance(kind, str) and kind.startswith("AWS::Serverless::")


def _take_applications(template: Raw) -> Raw:
    """Take the applications out: the translator refuses one whose id a mapping by partition gives."""
    resources = template.get("Resources", {})
    found = [
        name
        for name, resource in resources.items()
        if isinstance(resource, dict) and resource.get("Type") == _APPLICATION
    ]
    return {name: resources.pop(name) for name in found}


def _package(template: Raw) -> None:
    """Name code beside the template as the packaged code that the translator wants."""
    for resource in template.get("Resources", {}).values():
        if not isinstance(resource, dict):
            continue
        kind, properties = resource.get("Type"), resource.get("Properties")
        uri = _CODE.get(kind) if isinstance(kind, str) else None
        if uri and isinstance(properties, dict):
            place = properties.get(uri)
            if isinstance(place, str) and "://" not in place:
                properties[uri] = {"Bucket": UNPACKAGED, "Key": place}
    for_all = template.get("Globals", {})
    function = for_all.get("Function") if isinstance(for_all, dict) else None
    if (
        isinstance(function, dict)
        and isinstance(function.get("CodeUri"), str)
        and "://" not in function["CodeUri"]
    ):
        function["CodeUri"] = {"Bucket": UNPACKAGED, "Key": function["CodeUri"]}
