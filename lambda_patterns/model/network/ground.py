"""What every walk through the graph stands on: a connection's parts, and what is known where it passes.

Not modelled: a second private address of an interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.network.acls import EPHEMERAL, Acls
from lambda_patterns.model.network.graph import Attached, Interface, NatMode
from lambda_patterns.model.network.groups import Far, Groups
from lambda_patterns.model.network.prefixes import ANY, Prefix, split
from lambda_patterns.model.network.trace import Hop, Path, Reason, Verdict
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_patterns.model.network.graph import Graph, NatGateway, RouteTable, Subnet

MANY_PARTS = 64
"""Beyond this many parts of one subnet its block stays whole, and the verdict open where parts differ."""


class Packet(NamedTuple):
    """A new connection's protocol and destination port."""

    protocol: str
    port: int

    @property
    def traffic(self) -> tuple[str, int]:
        """The packet as a security group's rule sees it."""
        return self.protocol, self.port

    @property
    def forth(self) -> tuple[str, int, int]:
        """The packets to the server, as a network ACL sees them."""
        return self.protocol, self.port, self.port

    @property
    def back(self) -> tuple[str, int, int]:
        """The server's answers, to whichever port the client took."""
        return self.protocol, *EPHEMERAL


class Start(NamedTuple):
    """An interface that opens a connection.

    Args:
        interface: where the packets set off.
        every_port: it takes all of EPHEMERAL for its own ports, as functions and NAT gateways do.
        function: it is a function's, which never has a public address.
    """

    interface: Interface
    every_port: bool
    function: bool = False


class Walk:
    """One path while it is walked. Hops end where something first does not surely let it through."""

    __slots__ = ("blocks", "doubts", "hops")

    def __init__(self) -> None:
        self.hops: list[Hop] = []
        self.blocks: list[Reason] = []
        self.doubts: list[Reason] = []

    def take(self, outcome: Hop | Reason | None) -> None:
        """Go on past a hop, or note what stops or may stop the traffic and go on judging."""
        if isinstance(outcome, Hop):
            if not self.blocks and not self.doubts:
                self.hops.append(outcome)
        elif outcome is not None:
            (self.blocks if outcome.code else self.doubts).append(outcome)

    def join(self, beyond: Walk) -> None:
        """Go on by a way that was walked before, which stays as it is."""
        if not self.blocks and not self.doubts:
            self.hops += beyond.hops
        self.blocks += beyond.blocks
        self.doubts += beyond.doubts

    @property
    def verdict(self) -> Verdict:
        """What it comes to: something known to stop it wins over something that is not known."""
        return Verdict.BLOCKED if self.blocks else Verdict.UNKNOWN if self.doubts else Verdict.REACHED

    def end(self, subnet: str | Unknown, to: str | Unknown | None) -> Path:
        """Conclude."""
        return Path(
            known(subnet), known(to), self.verdict, tuple(self.hops), tuple(self.blocks), tuple(self.doubts)
        )


def known(name: str | Unknown | None) -> str | None:
    """Give a name, None where it is not known."""
    return name if isinstance(name, str) else None


def why(value: object) -> str:
    """Say why a name leads nowhere."""
    return value.why if isinstance(value, Unknown) else f"{value} is not in the template"


def same(one: str | Unknown | None, other: str | Unknown | None) -> bool:
    """Tell whether two names surely are one; two unknowns of one name are (a parameter has one value)."""
    return one is not None and one == other and not (isinstance(one, Unknown) and not one.name)


def called(interface: Interface) -> str:
    """Name an interface by what all that are judged alike have in common: its groups, its subnet."""
    return (
        ", ".join(sorted(interface.groups.names)) or known(interface.subnet) or "a subnet that is not known"
    )


def blocks(found: Iterable[object]) -> Iterator[Prefix]:
    """Give those that are address blocks."""
    return (item for item in found if isinstance(item, Prefix))


def inside(nat: NatGateway) -> Interface:
    """Give the NAT gateway's own interface; a NAT gateway has no security group."""
    subnet = Unknown(f"{nat.name} has no subnet") if nat.subnet is None else nat.subnet
    return Interface(nat.name, subnet, Attached(open=True), public=nat.mode is NatMode.PUBLIC)


class Ground:
    """A graph with its groups and network ACLs indexed, and what is known at each interface."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.groups = Groups(graph.groups)
        self._acls = Acls(graph.acls)
        self._parts: dict[Prefix, list[Prefix]] = {}
        self._mentioned: list[Prefix] | None = None

    def subnet(self, interface: Interface) -> Subnet | None:
        """Give the interface's subnet, None where it is not known."""
        return self.graph.subnets.get(interface.subnet) if isinstance(interface.subnet, str) else None

    def table(self, subnet: Subnet | None) -> RouteTable | None:
        """Give the subnet's route table, None where it is not known."""
        return self.graph.tables.get(subnet.table) if subnet and isinstance(subnet.table, str) else None

    def address(self, interface: Interface, version: int = 4) -> Prefix:
        """Give the block that surely holds the interface's address."""
        if interface.address is not None and interface.address.version == version:
            return interface.address
        subnet = self.subnet(interface)
        own = [block for block in (subnet.prefixes if subnet else ()) if block.version == version]
        return own[0] if len(own) == 1 else ANY[version]

    def border(
        self, interface: Interface, direction: str, packets: tuple[str, int, int], far: Far
    ) -> Hop | Reason:
        """Judge packets out of ("egress") or into ("ingress") the interface's subnet."""
        return self._border(interface, direction, packets, far, every_port=True)

    def answers(
        self, interface: Interface, direction: str, packet: Packet, far: Far, start: Start
    ) -> Hop | Reason:
        """Judge the answers to what `start` opened, where they cross the interface's subnet's border."""
        return self._border(interface, direction, packet.back, far, every_port=start.every_port)

    def _border(
        self,
        interface: Interface,
        direction: str,
        packets: tuple[str, int, int],
        far: Far,
        *,
        every_port: bool,
    ) -> Hop | Reason:
        subnet = self.subnet(interface)
        if subnet is None or not isinstance(subnet.acl, str):
            said = why(subnet.acl if subnet else interface.subnet)
            named = subnet.name if subnet else called(interface)
            return Reason(None, named, "network ACL", f"the network ACL of its subnet is not known: {said}")
        outcome = self._acls.judge(subnet.acl, direction, packets, far, every_port=every_port)
        if isinstance(outcome, Reason):
            return outcome
        traffic = "" if packets[1] == packets[2] else "answers "
        way = "out of" if direction == "egress" else "into"
        return Hop(outcome.component, outcome.kind, f"{traffic}{way} {subnet.name}, {outcome.by}")

    def cross(self, walk: Walk, start: Start, behind: Interface, packet: Packet, version: int = 4) -> None:
        """Cross the border into the subnet of what translates addresses, and let the answer out again."""
        near = start.interface
        if same(near.subnet, behind.subnet):
            return
        back = Far(self.address(near, version), called(near))
        walk.take(self.border(behind, "ingress", packet.forth, back))
        walk.take(self.answers(behind, "egress", packet, back, start))

    def parts(self, block: Prefix) -> list[Prefix]:
        """Give an address for each part of a block that the rules tell apart; the block if too many."""
        if block not in self._parts:
            if self._mentioned is None:
                self._mentioned = sorted(set(self._every_mention()))
            inside = [other for other in self._mentioned if block.covers(other)]
            whole = not block.length or len(inside) > MANY_PARTS
            self._parts[block] = [block] if whole else [address for address, _ in split(block, inside)]
        return self._parts[block]

    def _every_mention(self) -> Iterator[Prefix]:
        for group in self.graph.groups.values():
            yield from blocks(rule.peer for rule in (*group.ingress, *group.egress))
        for acl in self.graph.acls.values():
            yield from blocks(entry.prefix for entry in (*acl.ingress, *acl.egress))
        for table in self.graph.tables.values():
            yield from blocks(route.destination for route in table.routes)
