"""What creates, updates and deletes resources of one type, in the shape that MiniStack calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Properties = dict[str, Any]
# what Ref gives, and what GetAtt gives
Created = tuple[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Handler:
    """The three functions of a resource type.

    Attributes:
        create: (logical id, properties, stack name) -> physical id and attributes.
        delete: (physical id, properties) -> None.
        update: (physical id, old properties, new properties, stack name) -> as create. Without one, a change
            deletes the resource and creates it anew; MiniStack alone would create it a second time.
    """

    create: Callable[[str, Properties, str], Created]
    delete: Callable[[str, Properties], None]
    update: Callable[[str, Properties, Properties, str], Created] | None = None

    def for_ministack(self) -> dict[str, Any]:
        """Give the entry of MiniStack's table."""
        return {"create": self.create, "update": self.update or self._replace, "delete": self.delete}

    def _replace(self, physical_id: str, old: Properties, new: Properties, stack: str) -> Created:
        """Replace: the old one goes first, for most names can be there but once."""
        self.delete(physical_id, old)
        return self.create(physical_id, new, stack)


def picked(properties: Properties, *names: str) -> Properties:
    """Give the named properties that are set."""
    return {name: properties[name] for name in names if properties.get(name) is not None}


def boolean(value: object) -> bool:
    """Read a template's boolean, which may be the text "true"."""
    return str(value).lower() == "true"


def whole(properties: Properties, *names: str) -> Properties:
    """Give the properties with the named ones as whole numbers, which a template may carry as text."""
    return {name: int(value) if name in names else value for name, value in properties.items()}


def tag_specification(kind: str, properties: Properties) -> list[dict[str, Any]]:
    """Write EC2's TagSpecifications from `Tags`."""
    return [{"ResourceType": kind, "Tags": properties["Tags"]}] if properties.get("Tags") else []


def nothing(_physical_id: str, _properties: Properties) -> None:
    """Delete what goes with another resource."""
