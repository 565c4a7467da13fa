"""The proof: a connection's way through the graph, and the way of its answers.

Each path is walked to its end: something known to stop it wins over something that is not known before it.
Addresses are blocks as wide as what is known of them; where that is too wide for a verdict, the block is
split into the parts that the deployment's rules tell apart, and the verdict is what they agree on.

Not modelled: name resolution other than of AWS services; quotas on connections; what comes in from the
internet; endpoint policies (they judge requests, not packets: see the rule endpoint-policy-denies).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.network.between import Between
from lambda_patterns.model.network.graph import EVERY_SERVICE, HostKind
from lambda_patterns.model.network.ground import Ground, Packet, Start, Walk, inside, same
from lambda_patterns.model.network.groups import Far
from lambda_patterns.model.network.outward import Outward
from lambda_patterns.model.network.prefixes import ANY
from lambda_patterns.model.network.trace import Hop, Path, Reason, Trace, Verdict, unanimous, weakest
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.network.graph import Endpoint, Graph, Host, Interface

_BEST_FIRST = (Verdict.REACHED, Verdict.UNKNOWN, Verdict.BLOCKED)
_IPV4, _IPV6 = 4, 6

Answer = tuple[Verdict, tuple[Path, ...]]


class Internet(NamedTuple):
    """The public internet at large.

    Reached where the addresses that no rule singles out are reached; blocked where no public address is.

    Args:
        version: 4 or 6; None: either of them is enough.
    """

    version: int | None = None

    def __str__(self) -> str:
        """Name it for people."""
        return "the internet" if self.version is None else f"the IPv{self.version} internet"


class Service(NamedTuple):
    """An AWS service in the deployment's Region, by the short name of its endpoint ("secretsmanager")."""

    name: str

    def __str__(self) -> str:
        """Name it for people."""
        return self.name


class Solver:
    """Answers questions about one graph. What is asked again for a subnet and groups is answered once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._ground = Ground(graph)
        self._between = Between(self._ground)
        self._outward = Outward(self._ground)
        self._endpoints: dict[str | None, list[Endpoint]] = {}
        for endpoint in graph.endpoints.values():
            if endpoint.host is not None and endpoint.private_dns is not False:
                self._endpoints.setdefault(endpoint.service, []).append(endpoint)

    def trace(self, source: str, target: str | Internet | Service, port: int, protocol: str = "tcp") -> Trace:
        """Trace a connection from the host named `source` to a host, a service or the internet."""
        host, packet = self.graph.hosts[source], Packet(protocol, port)
        starts = [Start(interface, host.kind is HostKind.FUNCTION, host.kind is HostKind.FUNCTION)
                  for interface in host.interfaces]  # fmt: skip
        answers = (
            [self._outside(host, target)]
            if host.vpc is None
            else [self._from(host, start, target, packet) for start in starts]
        )
        verdicts = [verdict for verdict, _ in answers]
        verdict = weakest(verdicts) if host.every else unanimous(verdicts)
        paths = tuple(path for _, some in answers for path in some)
        return Trace(source, str(target), port, protocol, verdict, paths)

    def way_out(self, name: str) -> Path:
        """Walk from a NAT gateway, or from an instance that routes lead to, to the IPv4 internet."""
        if name in self.graph.nats:
            start = Start(inside(self.graph.nats[name]), every_port=True)
        else:
            start = Start(self.graph.forwarders[name], every_port=False)
        return self._outward.path(start, _IPV4, Packet("tcp", 443))

    def regional(self, name: str) -> Reason | None:
        """Give what keeps a regional NAT gateway from the internet."""
        outcome = self._outward.regional(self.graph.nats[name])
        return outcome if isinstance(outcome, Reason) and outcome.code else None

    def entering(self, interface: Interface) -> Reason | None:
        """Judge HTTPS into an interface from an address that is not known."""
        far = Far(ANY[_IPV4], "the subnets that route to it")
        outcome = self._ground.groups.judge(interface.groups, "ingress", ("tcp", 443), far)
        return outcome if isinstance(outcome, Reason) and outcome.code else None

    def _from(self, host: Host, start: Start, target: str | Internet | Service, packet: Packet) -> Answer:
        if not isinstance(target, str) and (stated := self._stated(host, start, target, packet)) is not None:
            return stated.verdict, (stated,)
        if isinstance(target, Internet):
            versions = (target.version,) if target.version else (_IPV4, _IPV6)
            paths = [self._outward.path(start, version, packet) for version in versions]
            best = next(path for verdict in _BEST_FIRST for path in paths if path.verdict is verdict)
            return best.verdict, (best,)
        if isinstance(target, Service):
            return self._service(host, start, target.name, packet)
        return self._between.paths(start, host.vpc, self.graph.hosts[target], packet)

    def _stated(self, host: Host, start: Start, target: Internet | Service, packet: Packet) -> Path | None:
        """Answer by what is stated of a network outside of the deployment; None where nothing is."""
        if host.stated is None or self._ground.subnet(start.interface) is not None:
            return None
        if isinstance(target, Service) and target.name in host.stated.endpoints:
            by, leads = f"an endpoint for {target} is stated of the network", True
        elif host.stated.internet is not None and (isinstance(target, Service) or target.version != _IPV6):
            leads = host.stated.internet
            by = "the way to the internet is stated of the network"
        else:
            return None
        walk = Walk()
        far = Far(ANY[_IPV4], str(target))
        walk.take(self._ground.groups.judge(start.interface.groups, "egress", packet.traffic, far))
        if leads:
            walk.take(Hop(host.name, "network", by))
        else:
            said = f"of the network of {host.name} it is stated that nothing leads to the internet"
            walk.take(Reason("NO_ROUTE_TO_DESTINATION", host.name, "network", said))
        return walk.end(start.interface.subnet, "stated")

    def _outside(self, host: Host, target: str | Internet | Service) -> Answer:
        """Answer for a function outside a VPC, in Lambda's own network: it has the internet."""
        if isinstance(target, Internet | Service):
            hop = Hop(
                host.name, host.kind, "outside a VPC, in Lambda's own network, which reaches the internet"
            )
            path = Path(None, "internet", Verdict.REACHED, (hop,))
            if isinstance(target, Internet) and target.version == _IPV6:
                doubt = Reason(
                    None, host.name, host.kind, "IPv6 of functions outside a VPC is not documented"
                )
                path = Path(None, None, Verdict.UNKNOWN, doubts=(doubt,))
            return path.verdict, (path,)
        peer = self.graph.hosts[target]
        if any(interface.public is not False for interface in peer.interfaces) or not peer.interfaces:
            said = f"{peer.name} may have a public address, which is not traced from outside its VPC"
            path = Path(None, None, Verdict.UNKNOWN, doubts=(Reason(None, peer.name, peer.kind, said),))
        else:
            said = f"{host.name} is outside a VPC, and {peer.name} has only private addresses"
            block = Reason("NO_ROUTE_TO_DESTINATION", host.name, host.kind, said)
            path = Path(None, None, Verdict.BLOCKED, blocks=(block,))
        return path.verdict, (path,)

    def _service(self, host: Host, start: Start, service: str, packet: Packet) -> Answer:
        """Answer for a service: by the endpoint that its name resolves to, or by its public addresses."""
        doubts: list[Reason] = []
        others: list[Verdict] = []
        for endpoint, sure in self._capturing(host, service):
            answer = self._between.paths(start, host.vpc, self.graph.hosts[endpoint.host or ""], packet)
            if sure:
                return answer
            said = f"whether the name of {service} resolves to {endpoint.name} is not known"
            doubts.append(Reason(None, endpoint.name, HostKind.ENDPOINT, said))
            others.append(answer[0])
        elsewhere = {
            name
            for vpc, names in self.graph.names.items()
            if vpc == host.vpc or not (isinstance(vpc, str) and isinstance(host.vpc, str))
            for name in names
        }
        if elsewhere & {service, EVERY_SERVICE}:
            vpc = host.vpc.why if isinstance(host.vpc, Unknown) else host.vpc
            said = f"a private hosted zone of {vpc} may resolve the name of {service} elsewhere"
            doubts.append(Reason(None, str(vpc), "private hosted zone", said))
            others.append(Verdict.UNKNOWN)
        path = self._publicly(host, start, service, packet)
        verdict = unanimous([path.verdict, *others])
        if verdict is not path.verdict:
            path = path._replace(verdict=verdict, blocks=(), doubts=(*doubts, *path.blocks, *path.doubts))
        return verdict, (path,)

    def _capturing(self, host: Host, service: str) -> Iterator[tuple[Endpoint, bool]]:
        """Give the interface endpoints that the service's name may resolve to, sure ones first."""
        found: list[tuple[Endpoint, bool]] = []
        for endpoint in (*self._endpoints.get(service, ()), *self._endpoints.get(None, ())):
            here = same(endpoint.vpc, host.vpc)
            if here or not isinstance(endpoint.vpc, str) or not isinstance(host.vpc, str):
                found.append((endpoint, bool(endpoint.private_dns and here and endpoint.service == service)))
        return iter(sorted(found, key=lambda pair: not pair[1]))

    def _publicly(self, host: Host, start: Start, service: str, packet: Packet) -> Path:
        path = self._outward.path(start, _IPV4, packet, service)
        if path.verdict is not Verdict.BLOCKED:
            return path
        if self._outward.path(start, _IPV6, packet, service).verdict is Verdict.BLOCKED:
            return path
        said = f"{service} is reached over IPv6 alone, which its usual name may not offer"
        doubt = Reason(None, host.name, host.kind, said)
        return path._replace(verdict=Verdict.UNKNOWN, blocks=(), doubts=(doubt, *path.blocks))
