"""Places an order through RDS Proxy; the second handler of this package.

Event: ``{"customer": "c-17", "item": "tea", "quantity": 2}``; answer: ``{"id": 1}``. A write is not repeated
here when the connection drops under it, for it may have been committed: who sent the event decides.
"""

from __future__ import annotations

from typing import Any

from handler import connection

INSERT = """
    INSERT INTO orders (customer, item, quantity)
    VALUES (%(customer)s, %(item)s, %(quantity)s)
    RETURNING id
"""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Insert one order; its trigger has the database call the function that records it."""
    del context
    for name in ("customer", "item"):
        if not isinstance(event.get(name), str) or not event[name]:
            raise ValueError(f"{name} is {event.get(name)!r}, it must be a text that is not empty")
    quantity = event.get("quantity", 1)
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
        raise ValueError(f"quantity is {quantity!r}, allowed are whole numbers from 1")
    order = {"customer": event["customer"], "item": event["item"], "quantity": quantity}
    (row,) = connection().execute(INSERT, order).fetchall()
    return {"id": row["id"]}
