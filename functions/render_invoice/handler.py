"""Renders an invoice as text; it stands for what needs an image: fonts, browsers, native tools."""

from typing import Any


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Render ``{"order": "17", "lines": [{"name": "tea", "cents": 350}]}``, a line an item and the total."""
    lines = [f"{line['name']:<30}{line['cents'] / 100:>10.2f}" for line in event["lines"]]
    total = sum(line["cents"] for line in event["lines"]) / 100
    return {"order": event["order"], "text": "\n".join([*lines, f"{'total':<30}{total:>10.2f}"])}
