"""Security groups: whether one of their rules lets a connection out or in. They are stateful, answers pass.

Rules only allow, so one that surely matches is enough, whatever else is not known.
Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html

Not modelled: connections tracked from before a rule was taken away; ICMP types (no target is asked for ICMP).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.network.graph import GroupPeer
from lambda_patterns.model.network.prefixes import Prefix
from lambda_patterns.model.network.trace import Hop, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_patterns.model.network.graph import Attached, GroupRule, SecurityGroup

KIND = "security group"
EVERY_PORT = (0, 65535)


class Far(NamedTuple):
    """The other end of a connection, as rules and entries see it, and as messages name it.

    `groups_seen`: rules that name its groups match it; they do inside a VPC and across a peering connection.
    """

    address: Prefix
    said: str
    groups: Attached | None = None
    groups_seen: bool | None = True


@lru_cache(maxsize=16_384)
def describe(rule: GroupRule, direction: str) -> str:
    """Write a rule as "egress tcp 443 to 0.0.0.0/0"."""
    if rule.protocol == "-1":
        traffic = "all traffic"
    else:
        low, high = ("?" if port is None else port for port in (rule.low, rule.high))
        ports = "all ports" if (low, high) == EVERY_PORT else str(low) if low == high else f"{low}-{high}"
        traffic = f"{rule.protocol or 'unknown protocol'} {ports}"
    peer = rule.peer
    end = peer.group if isinstance(peer, GroupPeer) else str(peer) if isinstance(peer, Prefix) else peer.why
    return f"{direction} {traffic} {'to' if direction == 'egress' else 'from'} {end}"


def _in_range(port: int, low: int | None, high: int | None) -> bool | None:
    if (low is not None and port < low) or (high is not None and port > high):
        return False
    return None if low is None or high is None else True


def matches_traffic(
    protocol: str | None, low: int | None, high: int | None, packet: tuple[str, int]
) -> bool | None:
    """Tell whether a rule's protocol and ports match a packet's (protocol, destination port)."""
    if protocol == "-1":
        return True
    if protocol is not None and protocol != packet[0]:
        return False
    within = _in_range(packet[1], low, high)
    return within if within is False or protocol is not None else None


class _Indexed:
    """One direction of one group: its rules by the group that they name, and all others."""

    def __init__(self, rules: tuple[GroupRule, ...]) -> None:
        self.all = rules
        self.by_group: dict[str, list[GroupRule]] = {}
        self.others: list[GroupRule] = []
        for rule in rules:
            if isinstance(rule.peer, GroupPeer):
                self.by_group.setdefault(rule.peer.group, []).append(rule)
            else:
                self.others.append(rule)

    def candidates(self, far: Far) -> Iterator[tuple[GroupRule, bool | None]]:
        """Give the rules whose peer may be the far end, and whether it surely is."""
        for rule in self.others:
            covers = rule.peer.covers(far.address) if isinstance(rule.peer, Prefix) else None
            if covers is not False:
                yield rule, covers
        if far.groups is None or far.groups_seen is False:
            return
        sure = True if far.groups_seen else None
        for name in sorted(far.groups.names):
            for rule in self.by_group.get(name, ()):
                yield rule, sure
        if far.groups.unknown:
            for name, rules in self.by_group.items():
                if name not in far.groups.names:
                    for rule in rules:
                        yield rule, None


class Groups:
    """The deployment's security groups, asked for what they let through."""

    def __init__(self, groups: Mapping[str, SecurityGroup]) -> None:
        self._groups = groups
        self._indexed: dict[tuple[str, str], _Indexed] = {}

    def _rules(self, name: str, direction: str) -> _Indexed:
        key = (name, direction)
        if key not in self._indexed:
            self._indexed[key] = _Indexed(getattr(self._groups[name], direction))
        return self._indexed[key]

    def judge(
        self, attached: Attached, direction: str, packet: tuple[str, int], far: Far
    ) -> Hop | Reason | None:
        """Judge a new connection: the hop with the rule that lets it through, or what stops or may stop it.

        None where no group applies, which lets everything through.

        Args:
            attached: the groups of the interface that it passes.
            direction: "egress" or "ingress".
            packet: protocol and destination port.
            far: the other end.
        """
        way = "out" if direction == "egress" else "in"
        if attached.open:
            return None
        maybe: tuple[str, GroupRule] | None = None
        empty = True
        for name in sorted(attached.names):
            rules = self._rules(name, direction)
            empty = empty and not rules.all
            for rule, peer in rules.candidates(far):
                match = matches_traffic(rule.protocol, rule.low, rule.high, packet)
                if match and peer:
                    return Hop(name, KIND, describe(rule, direction))
                if match is not False:
                    maybe = maybe or (name, rule)
        first = min(attached.names, default="(unknown)")
        if maybe:
            said = (
                f"whether it lets {packet[0]} {packet[1]} {way} is not known: {describe(maybe[1], direction)}"
            )
            return Reason(None, maybe[0], KIND, said, direction)
        if attached.unknown:
            said = f"whether its groups let {packet[0]} {packet[1]} {way} is not known: {attached.unknown}"
            return Reason(None, first, KIND, said, direction)
        subject = "no rule" if len(attached.names) == 1 else "no rule of " + ", ".join(sorted(attached.names))
        return Reason(
            "SG_HAS_NO_RULES" if empty else "ENI_SG_RULES_MISMATCH",
            first,
            KIND,
            f"{subject} lets {packet[0]} {packet[1]} {way} {'to' if way == 'out' else 'from'} {far.said}",
            direction,
        )
