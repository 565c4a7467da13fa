"""The network of one deployment, asked by resource.

Not modelled: see `graph`, `solver` and `build`; a deployment with macros, which may add anything, is UNKNOWN
throughout.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError
from lambda_patterns.model.network.build import build
from lambda_patterns.model.network.build_hosts import port_of
from lambda_patterns.model.network.graph import HostKind
from lambda_patterns.model.network.identity import Identity
from lambda_patterns.model.network.solver import Internet, Service, Solver
from lambda_patterns.model.network.trace import Path, Reason, Trace, Verdict

if TYPE_CHECKING:
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.network.graph import Endpoint, Graph, Host, Interface
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Unknown

HTTPS = 443


class Network:
    """What reaches what in a deployment.

    Args:
        deployment: the resources, with their conditions decided.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._identity = Identity(deployment)
        self._traces: dict[tuple[Resource, Resource | Internet | Service, int, str], Trace] = {}

    @cached_property
    def graph(self) -> Graph:
        """The neutral graph that the proof stands on."""
        return self._solver.graph

    @cached_property
    def _solver(self) -> Solver:
        return Solver(build(self._deployment, self._identity))

    def host(self, resource: Resource) -> Host | None:
        """The resource as something with network interfaces; None where it is nothing of the kind."""
        return self.graph.hosts.get(self._identity.name(resource))

    def resource(self, component: str) -> Resource | None:
        """The resource behind a hop's or reason's component; None for one outside of the deployment."""
        return self._identity.resources.get(component)

    def name(self, resource: Resource) -> str:
        """The name of a resource in traces."""
        return self._identity.name(resource)

    def port_of(self, resource: Resource) -> int | None:
        """The port that a resource listens on; None where it is not known."""
        return port_of(self._deployment, resource)

    def _usual_port(self, target: Resource) -> int | None:
        host = self.host(target)
        nothing_listens = host is not None and host.kind is HostKind.FUNCTION
        return HTTPS if nothing_listens else self.port_of(target)

    def trace(
        self,
        source: Resource,
        target: Resource | Internet | Service,
        port: int | None = None,
        protocol: str = "tcp",
    ) -> Trace:
        """Trace a connection.

        Args:
            source: a function, proxy, database, instance, or anything else with an address of its own.
            target: the internet, an AWS service in the Region, or a resource with an address.
            port: 1-65535. Default: what the target listens on; 443 for the internet and services.
            protocol: "tcp" or "udp". Default "tcp", which services and databases speak.

        Raises:
            ArgumentError: where the source or target has no address that can be traced, or no port is known.
        """
        for end in (source, target):
            if not isinstance(end, Internet | Service) and self.host(end) is None:
                raise ArgumentError(f"{end.id} ({end.type}) has no address of its own that could be traced")
        asked = target if isinstance(target, Internet | Service) else self.name(target)
        if port is None:
            port = HTTPS if isinstance(target, Internet | Service) else self._usual_port(target)
        if port is None:
            raise ArgumentError(f"the port that {asked} listens on is not known: give one, 1-65535")
        key = (source, target, port, protocol)
        if key not in self._traces:
            self._traces[key] = self._trace(self.name(source), asked, port, protocol)
        return self._traces[key]

    def _trace(self, source: str, asked: str | Internet | Service, port: int, protocol: str) -> Trace:
        trace = self._solver.trace(source, asked, port, protocol)
        if not self._deployment.incomplete:
            return trace
        doubt = Reason(None, source, "template", self._deployment.incomplete)
        paths = tuple(
            path._replace(verdict=Verdict.UNKNOWN, blocks=(), doubts=(doubt, *path.blocks, *path.doubts))
            for path in trace.paths
        )
        return trace._replace(verdict=Verdict.UNKNOWN, paths=paths)

    def endpoints_for(self, service: str, vpc: str | Unknown | None) -> list[tuple[Resource, Endpoint]]:
        """The endpoints for a service in a VPC that are resources of the deployment."""
        return self._by_service.get((service, vpc), [])

    @cached_property
    def _by_service(self) -> dict[tuple[str | None, str | Unknown | None], list[tuple[Resource, Endpoint]]]:
        found: dict[tuple[str | None, str | Unknown | None], list[tuple[Resource, Endpoint]]] = {}
        for endpoint in self.graph.endpoints.values():
            resource = self.resource(endpoint.name)
            if resource is not None:
                found.setdefault((endpoint.service, endpoint.vpc), []).append((resource, endpoint))
        return found

    def way_out(self, component: str) -> Path:
        """The way from a NAT gateway or NAT instance of the graph to the internet, by its name there."""
        return self._solver.way_out(component)

    def regional(self, component: str) -> Reason | None:
        """What keeps a regional NAT gateway from the internet; None where nothing is known to."""
        return self._solver.regional(component)

    def nothing_enters(self, interface: Interface) -> Reason | None:
        """The reason of the interface's groups against HTTPS from an address that is not known."""
        return self._solver.entering(interface)
