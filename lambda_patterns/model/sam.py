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

_CODE = {
    "AWS::Serverless::Api": "DefinitionUri",
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::HttpApi": "DefinitionUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
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
        from samtranslator.model.exceptions import ExceptionWithMessage  # type: ignore[import-untyped]  # noqa: PLC0415  # an extra without types
        from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]  # noqa: PLC0415  # an extra without types
        from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]  # noqa: PLC0415  # an extra without types
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
    except Exception as error:  # noqa: BLE001  # the translator trips over malformed templates in many ways
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
    """Give the translator what `sam build`, `sam package` and the values of parameters would."""
    parameters = template.get("Parameters")
    for resource in template.get("Resources", {}).values():
        kind, properties = (
            (resource.get("Type"), resource.get("Properties")) if isinstance(resource, dict) else ("", None)
        )
        if isinstance(kind, str) and isinstance(properties, dict):
            _place(properties, _CODE.get(kind, ""))
            _settle(properties, parameters if isinstance(parameters, dict) else {})
    for_all = template.get("Globals", {})
    function = for_all.get("Function") if isinstance(for_all, dict) else None
    if isinstance(function, dict):
        _place(function, "CodeUri")


def _place(properties: Raw, uri: str) -> None:
    """Name what is beside the template, or where only the deployment knows, as an object of a bucket."""
    place = properties.get(uri)
    if isinstance(place, str) and "://" not in place:
        properties[uri] = {"Bucket": UNPACKAGED, "Key": place}
    elif isinstance(place, dict) and "Bucket" not in place:
        properties[uri] = {"Bucket": "elsewhere", "Key": "elsewhere"}
    if properties.get("PackageType") == "Image" and not properties.keys() & {"ImageUri", "InlineCode"}:
        properties["ImageUri"] = UNPACKAGED


def _settle(properties: Raw, parameters: Raw) -> None:
    """Write out what the translator wants to know, and a parameter decides."""
    alias = properties.get("AutoPublishAlias")
    if isinstance(alias, dict) and isinstance(name := alias.get("Ref"), str) and name in parameters:
        declared = parameters[name]
        default = declared.get("Default") if isinstance(declared, dict) else None
        properties["AutoPublishAlias"] = default if isinstance(default, str) else name
    if isinstance(properties.get("AutoPublishCodeSha256"), dict):
        del properties["AutoPublishCodeSha256"]
