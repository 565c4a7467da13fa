"""Network ACLs: ordered entries, both ways, stateless, so that the answers need an entry of their own.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html

Not modelled: ICMP types; fragments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.network.groups import EVERY_PORT, matches_traffic
from lambda_patterns.model.network.trace import Hop, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_patterns.model.network.graph import Acl, AclEntry
    from lambda_patterns.model.network.groups import Far
    from lambda_patterns.model.network.prefixes import Prefix

KIND = "network ACL"
EPHEMERAL = (1024, 65535)
"""The ports that Lambda functions, NAT gateways and load balancers take for their end of a connection.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
"""


def _order(entry: AclEntry) -> int:
    return -1 if entry.number is None else entry.number


def _decide(
    entries: Sequence[AclEntry], protocol: str, port: int, address: Prefix
) -> tuple[bool | None, AclEntry | None]:
    """Decide on one packet: allowed, denied or not known, and the entry that says so (None: no entry)."""
    pending: set[bool | None] = set()
    doubtful: AclEntry | None = None
    for entry in entries:
        traffic = matches_traffic(entry.protocol, entry.low, entry.high, (protocol, port))
        where = None if entry.prefix is None else entry.prefix.covers(address)
        if traffic is False or where is False:
            continue
        if traffic and where and entry.number is not None:
            if entry.allow is None or pending - {entry.allow}:
                return None, doubtful or entry
            return entry.allow, entry
        pending.add(entry.allow)
        doubtful = doubtful or entry
    return (None, doubtful) if pending - {False} else (False, None)


def _boundaries(entries: Sequence[AclEntry], ports: tuple[int, int]) -> list[int]:
    low, high = ports
    starts = {low}
    for entry in entries:
        if entry.low is not None and low < entry.low <= high:
            starts.add(entry.low)
        if entry.high is not None and low <= entry.high < high:
            starts.add(entry.high + 1)
    return sorted(starts)


def _say(entry: AclEntry | None) -> str:
    if entry is None:
        return "no entry allows it"
    ports = "all ports" if (entry.low, entry.high) == EVERY_PORT else _ports(entry)
    traffic = {"-1": "all traffic", None: "unknown protocol"}.get(entry.protocol, f"{entry.protocol} {ports}")
    action = {True: "allow", False: "deny", None: "allow or deny"}[entry.allow]
    number = "entry" if entry.number is None else f"entry {entry.number}"
    return f"{number}: {action} {traffic}, {'unknown block' if entry.prefix is None else entry.prefix}"


def _ports(entry: AclEntry) -> str:
    low, high = ("?" if port is None else str(port) for port in (entry.low, entry.high))
    return low if low == high else f"{low}-{high}"


class Acls:
    """The deployment's network ACLs; what is asked twice is answered once."""

    def __init__(self, acls: dict[str, Acl]) -> None:
        self._acls = acls
        self._sorted: dict[tuple[str, str], Sequence[AclEntry]] = {}
        self._answers: dict[tuple[object, ...], Hop | Reason] = {}

    def _entries(self, name: str, direction: str) -> Sequence[AclEntry]:
        key = (name, direction)
        if key not in self._sorted:
            self._sorted[key] = sorted(getattr(self._acls[name], direction), key=_order)
        return self._sorted[key]

    def judge(
        self, name: str, direction: str, packets: tuple[str, int, int], far: Far, *, every_port: bool = True
    ) -> Hop | Reason:
        """Judge packets that cross a subnet's border.

        Args:
            name: the network ACL.
            direction: "egress" (out of the subnet) or "ingress".
            packets: protocol, lowest and highest destination port; for answers the client's ephemeral range.
            far: the other side.
            every_port: all of the ports are in use, so one that is denied stops the traffic; otherwise the
                client takes some of them, not known which.
        """
        key = (name, direction, packets, far.address, far.said, every_port)
        if key not in self._answers:
            self._answers[key] = self._judge(name, direction, packets, far, every_port=every_port)
        return self._answers[key]

    def _judge(
        self, name: str, direction: str, packets: tuple[str, int, int], far: Far, *, every_port: bool
    ) -> Hop | Reason:
        protocol, low, high = packets
        entries = self._entries(name, direction)
        denied: list[tuple[int, AclEntry | None]] = []
        doubtful: list[AclEntry | None] = []
        allowed: AclEntry | None = None
        starts = _boundaries(entries, (low, high))
        for port in starts:
            decision, entry = _decide(entries, protocol, port, far.address)
            if decision is None:
                doubtful.append(entry)
            elif decision:
                allowed = allowed or entry
            else:
                denied.append((port, entry))
        if not denied and not doubtful:
            return Hop(name, KIND, _say(allowed))
        what = f"{protocol} {low}" if low == high else f"answers to {protocol} {low}-{high}"
        way = "out to" if direction == "egress" else "in from"
        if denied and (every_port or len(denied) == len(starts)):
            port, entry = denied[0]
            until = next((start - 1 for start in starts if start > port), high)
            part = "" if len(denied) == len(starts) else f" ({port}-{until} are denied)"
            said = f"{direction} does not let {what} {way} {far.said}{part}: {_say(entry)}"
            return Reason("SUBNET_ACL_RESTRICTION", name, KIND, said, direction)
        entry = (doubtful or [denied[0][1]])[0]
        said = f"whether {direction} lets {what} {way} {far.said} is not known: {_say(entry)}"
        return Reason(None, name, KIND, said, direction)
