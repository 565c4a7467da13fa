"""A random network built from Linux namespaces, routes and packet filters, and real TCP connections in it.

A subnet is a bridge in a router's namespace: the router holds the subnet's route table and, on its border,
its network ACL without connection tracking. An interface is a namespace with its security groups as a
stateful filter. NAT gateways and NAT instances masquerade; the internet gateway lets out what has a public
address.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import time
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

World = dict[str, Any]
AT_LARGE = ("1.1.1.1", "9.9.9.9", "150.1.1.1")
SINGLED_OUT = ("203.0.113.5", "198.51.100.5")
WAIT = 0.7  # seconds; less than the second after which a lost packet would be sent again
_PLACES = {"F": 2, "D": 3, "N0": 4, "X0": 5}
_CLONE_NEWNET = 0x40000000


def missing() -> str:
    """Why this machine cannot do it, or ""."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: {package})"
    name = f"lp{os.getpid()}-try"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)  # noqa: S607  # the machine's own
    if tried.returncode:
        return f"network namespaces cannot be made: {tried.stderr.strip()}"
    rules = "add table ip t; add chain ip t n { type nat hook postrouting priority 100; }"
    command = ["ip", "netns", "exec", name, "nft", rules]
    filtered = subprocess.run(command, capture_output=True, text=True, check=False)  # as above
    subprocess.run(["ip", "netns", "delete", name], check=True)  # noqa: S607  # as above
    return f"packets cannot be filtered: {filtered.stderr.strip()}" if filtered.returncode else ""


def address(world: World, owner: str, subnet: str) -> str:
    """The address of an interface: each owner has its place in every subnet."""
    return str(IPv4Network(world["subnets"][subnet]["cidr"])[_PLACES[owner]])


class Lab:
    """One network. Use it as a context manager; its namespaces go with it, whatever happens."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._prefix = f"lp{os.getpid()}-"
        self._spaces: list[str] = []
        self._commands: dict[str, list[str]] = {}
        self._filters: dict[str, list[str]] = {}
        self._links = 0

    def __enter__(self) -> Self:
        try:
            self._plan()
            self._build()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    # --- the plan: which namespaces, links, routes and filters

    def _space(self, name: str) -> None:
        self._spaces.append(name)
        self._commands[name] = ["link set lo up"]
        self._filters[name] = []

    def _link(self, one: str, other: str) -> tuple[str, str]:
        """Join two namespaces by a cable with addresses of its own; give the ends' names."""
        self._links += 1
        ends = (f"a{self._links}", f"b{self._links}")
        base = f"169.254.{self._links}"
        self._cable((one, ends[0]), (other, ends[1]))
        for space, end, number in ((one, ends[0], 1), (other, ends[1], 2)):
            self._commands[space] += [f"addr add {base}.{number}/30 dev {end}", f"link set {end} up"]
        return ends

    def _cable(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        (near, end), (far, other_end) = one, other
        self._commands[""].append(
            f"link add {end} netns {self._prefix}{near} type veth"
            f" peer name {other_end} netns {self._prefix}{far}"
        )

    def _via(self, space: str, block: str, end: str) -> None:
        """Send a block's packets into a cable: the far end is the other of its two addresses."""
        number = 2 if end.startswith("a") else 1
        self._commands[space].append(f"route replace {block} via 169.254.{end[1:]}.{number}")

    def _plan(self) -> None:
        world = self.world
        self._commands[""] = []
        self._space("internet")
        for far in (*AT_LARGE, *SINGLED_OUT):
            self._commands["internet"].append(f"addr add {far}/32 dev lo")
        for name, subnet in world["subnets"].items():
            self._router(name, subnet)
        names = list(world["subnets"])
        pairs = {}
        for index, one in enumerate(names):
            for other in names[index + 1 :]:
                pairs[one, other], pairs[other, one] = self._link(one, other)
        for name, host in world["hosts"].items():
            for subnet in host["subnets"]:
                self._interface(f"{name}.{subnet}", name, subnet)
                self._stateful(f"{name}.{subnet}", host["groups"])
        self._gateway(names)
        self._translators()
        for one in names:
            for other in names:
                if one != other and world["subnets"][one]["vpc"] == world["subnets"][other]["vpc"]:
                    self._via(one, world["subnets"][other]["cidr"], pairs[one, other])
            self._table(one, pairs)

    def _router(self, name: str, subnet: World) -> None:
        self._space(name)
        network = IPv4Network(subnet["cidr"])
        self._commands[name] += [
            "link add br0 type bridge",
            f"addr add {network[1]}/29 dev br0",
            "link set br0 up",
        ]
        if subnet["acl"] is None:
            return
        lines = ["add table ip acl"]
        for way, end in (("egress", "daddr"), ("ingress", "saddr")):
            lines.append(f"add chain ip acl {way}")
            for _, protocol, low, high, block, allow in sorted(self.world["acls"][subnet["acl"]][way]):
                if protocol in ("-1", "tcp"):
                    ports = "" if protocol == "-1" else f"tcp dport {low}-{high} "
                    lines.append(
                        f"add rule ip acl {way} ip {end} {block} {ports}{'accept' if allow else 'drop'}"
                    )
            lines.append(f"add rule ip acl {way} drop")
        lines += [
            "add chain ip acl border { type filter hook forward priority 0; policy accept; }",
            'add rule ip acl border iifname "br0" oifname "br0" accept',
        ]
        both = ['iifname "br0" jump egress', 'oifname "br0" jump ingress']
        self._filters[name] = [*lines, *(f"add rule ip acl border {rule}" for rule in both)]

    def _interface(self, space: str, owner: str, subnet: str) -> None:
        """Plug a namespace into a subnet's bridge, with the router as its way to everywhere."""
        self._space(space)
        self._links += 1
        network = IPv4Network(self.world["subnets"][subnet]["cidr"])
        plug = f"p{self._links}"
        self._cable((space, "eth0"), (subnet, plug))
        self._commands[subnet] += [f"link set {plug} master br0", f"link set {plug} up"]
        self._commands[space] += [
            f"addr add {address(self.world, owner, subnet)}/29 dev eth0",
            "link set eth0 up",
            f"route add default via {network[1]}",
        ]

    def _rules(self, chain: str, groups: list[str], way: str) -> list[str]:
        end = "daddr" if way == "egress" else "saddr"
        lines = []
        for group in groups:
            for protocol, low, high, peer in self.world["groups"][group][way]:
                blocks = [peer] if "/" in peer else self._members(peer)
                ports = f"tcp dport {low}-{high}" if protocol == "tcp" else "meta l4proto tcp"
                if protocol in ("-1", "tcp"):
                    lines += [f"add rule ip sg {chain} ip {end} {block} {ports} accept" for block in blocks]
        return lines

    def _members(self, group: str) -> list[str]:
        hosts = [*self.world["hosts"].items(), ("X0", {**self.world["forwarders"]["X0"]})]
        return [
            address(self.world, name, subnet)
            for name, host in hosts
            if group in host["groups"]
            for subnet in host.get("subnets", [host.get("subnet")])
        ]

    def _stateful(self, space: str, groups: list[str]) -> None:
        lines = ["add table ip sg"]
        for hook, way in (("output", "egress"), ("input", "ingress")):
            lines += [
                f"add chain ip sg {hook} {{ type filter hook {hook} priority 0; policy drop; }}",
                f"add rule ip sg {hook} ct state established,related accept",
                *self._rules(hook, groups, way),
            ]
        self._filters[space] = lines

    def _gateway(self, names: list[str]) -> None:
        """Join subnets to the internet by the internet gateway of their VPC, for public addresses only."""
        world = self.world
        attached = world["gateways"]["I0"]
        self._out: dict[str, str] = {}
        for name in names:
            if world["subnets"][name]["vpc"] != attached:
                continue
            self._space(f"igw.{name}")
            inner = self._link(name, f"igw.{name}")
            outer = self._link(f"igw.{name}", "internet")
            self._out[name] = inner[0]
            self._via(f"igw.{name}", "default", outer[0])
            self._via(f"igw.{name}", world["subnets"][name]["cidr"], inner[1])
            self._via("internet", world["subnets"][name]["cidr"], outer[1])
            public = [
                address(world, owner, name)
                for owner, where, has in (
                    ("N0", world["nats"]["N0"][1], world["nats"]["N0"][0] == "public"),
                    ("X0", world["forwarders"]["X0"]["subnet"], world["forwarders"]["X0"]["public"]),
                )
                if where == name and has
            ]
            self._filters[f"igw.{name}"] = [
                "add table ip igw",
                "add chain ip igw forward { type filter hook forward priority 0; policy drop; }",
                *(
                    f"add rule ip igw forward ip {end} {one} accept"
                    for one in public
                    for end in ("saddr", "daddr")
                ),
            ]

    def _translators(self) -> None:
        """Add the NAT gateway, the NAT instance, and the regional NAT gateway of the first VPC."""
        world = self.world
        for owner, subnet in (("N0", world["nats"]["N0"][1]), ("X0", world["forwarders"]["X0"]["subnet"])):
            self._interface(owner, owner, subnet)
            self._filters[owner] = [
                "add table ip nat",
                "add chain ip nat post { type nat hook postrouting priority 100; }",
                "add rule ip nat post masquerade",
            ]
        machine = world["forwarders"]["X0"]
        self._filters["X0"] += [
            "add table ip sg",
            "add chain ip sg entering",
            *self._rules("entering", machine["groups"], "ingress"),
            "add rule ip sg entering drop",
            "add chain ip sg leaving",
            *self._rules("leaving", machine["groups"], "egress"),
            "add rule ip sg leaving drop",
            "add chain ip sg first { type filter hook forward priority -2; policy accept; }",
            "add rule ip sg first ct state established,related accept",
            "add rule ip sg first jump entering",
            "add chain ip sg second { type filter hook forward priority -1; policy accept; }",
            "add rule ip sg second ct state established,related accept",
            "add rule ip sg second jump leaving",
        ]
        if world["gateways"]["I0"] == "V0":
            self._space("N1")
            ends = self._link("N1", "internet")
            self._via("N1", "default", ends[0])
            self._filters["N1"] = [
                "add table ip nat",
                "add chain ip nat post { type nat hook postrouting priority 100; }",
                f'add rule ip nat post oifname "{ends[0]}" masquerade',
            ]

    def _table(self, subnet: str, pairs: dict[tuple[str, str], str]) -> None:
        """Write the subnet's route table into its router."""
        world = self.world
        vpc = world["subnets"][subnet]["vpc"]
        elsewhere = {name: there for name, there in world["subnets"].items() if there["vpc"] != vpc}
        peered: set[str] = set()
        routes = world["tables"].get(world["subnets"][subnet]["table"], [])
        for block, target in sorted(routes, key=lambda route: IPv4Network(route[0]).prefixlen):
            if block == world["vpcs"][vpc]:
                continue
            covered = {
                name
                for name, there in elsewhere.items()
                if IPv4Network(there["cidr"]).subnet_of(IPv4Network(block))
            }
            peered = peered | covered if target == "P0" else peered - covered
            if target == "I0" and subnet in self._out:
                self._via(subnet, block, self._out[subnet])
            elif target == "N1" and "N1" in self._spaces and vpc == "V0":
                ends = self._link(subnet, "N1")
                self._via(subnet, block, ends[0])
                self._via("N1", world["subnets"][subnet]["cidr"], ends[1])
            elif target == "N0":
                self._translated(subnet, block, target, world["nats"]["N0"][1])
            elif target == "X0":
                self._translated(subnet, block, target, world["forwarders"]["X0"]["subnet"])
            else:
                self._commands[subnet].append(f"route add blackhole {block}")
        for name in sorted(peered):
            self._via(subnet, elsewhere[name]["cidr"], pairs[subnet, name])

    def _translated(self, subnet: str, block: str, owner: str, where: str) -> None:
        world = self.world
        if world["subnets"][where]["vpc"] != world["subnets"][subnet]["vpc"]:
            self._commands[subnet].append(f"route add blackhole {block}")
        elif where == subnet:
            self._commands[subnet].append(f"route add {block} via {address(world, owner, where)} dev br0")
        else:
            ends = self._link(subnet, where)
            self._via(subnet, block, ends[0])
            table = 100 + self._links
            self._commands[where] += [
                f"rule add iif {ends[1]} lookup {table}",
                f"route add default via {address(world, owner, where)} dev br0 table {table}",
            ]

    # --- building and removing it

    def _build(self) -> None:
        _ip(["netns add " + self._prefix + name for name in self._spaces])
        for name in self._spaces:
            forwards = not (name == "X0" and self.world["forwarders"]["X0"]["check"])
            settings = (
                f"net.ipv4.ip_forward={int(forwards)} net.ipv4.conf.all.send_redirects=0".split()
            )  # one is computed
            self._exec(name, ["sysctl", "-qw", *settings, "net.ipv4.conf.default.send_redirects=0"])
        _ip(self._commands.pop(""))
        for name, commands in self._commands.items():
            _ip(commands, self._prefix + name)
        for name, rules in self._filters.items():
            if rules:
                self._exec(name, ["nft", "-f", "-"], "\n".join(rules) + "\n")

    def _exec(self, name: str, command: list[str], text: str = "") -> None:
        words = ["ip", "netns", "exec", self._prefix + name, *command]
        done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)  # written above
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}\n{text}")

    def _remove(self) -> None:
        for name in self._spaces:
            command = ["ip", "netns", "delete", self._prefix + name]
            subprocess.run(command, capture_output=True, check=False)  # it may not have been made

    # --- packets

    def connects(self, start: str, ends: list[tuple[str, str]], port: int) -> list[bool]:
        """Open a connection from the namespace `start` to each (namespace, address), from every kind of port.

        Gives, for each end, whether all of them were established.
        """
        with contextlib.ExitStack() as stack:
            for space, where in ends:
                server = stack.enter_context(self._socket(space))
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind((where, port))
                server.listen(64)
            tried: list[list[socket.socket]] = []
            for _, where in ends:
                clients = []
                for own in self._client_ports():
                    client = stack.enter_context(self._socket(start))
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    client.setblocking(False)  # noqa: FBT003  # the socket's own signature
                    client.bind(("0.0.0.0", own))  # noqa: S104  # of a namespace of its own
                    with contextlib.suppress(OSError):  # in progress, or refused by the filter at once
                        client.connect((where, port))
                    clients.append(client)
                tried.append(clients)
            time.sleep(WAIT)
            return [all(_established(client) for client in clients) for clients in tried]

    def _client_ports(self) -> list[int]:
        ports = {1024, 40000, 65535}
        for ways in self.world["acls"].values():
            for entry in (*ways["ingress"], *ways["egress"]):
                ports |= {port for edge in entry[2:4] for port in (edge - 1, edge, edge + 1)}
        return sorted(port for port in ports if 1024 <= port <= 65535)

    def _socket(self, space: str) -> socket.socket:
        """Make a socket inside a namespace; it stays there."""
        libc = ctypes.CDLL(None, use_errno=True)
        with (
            Path("/proc/self/ns/net").open() as own,
            Path(f"/run/netns/{self._prefix}{space}").open() as other,
        ):
            if libc.setns(other.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns {space}")
            try:
                return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            finally:
                libc.setns(own.fileno(), _CLONE_NEWNET)


def _established(client: socket.socket) -> bool:
    try:
        client.getpeername()
    except OSError:
        return False
    return True


def _ip(commands: list[str], space: str = "") -> None:
    words = ["ip", *(["-n", space] if space else []), "-batch", "-"]
    done = subprocess.run(
        words, input="\n".join(commands) + "\n", capture_output=True, text=True, check=False
    )  # written above
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr}\n" + "\n".join(commands))


def outcomes(world: World) -> Iterator[tuple[str, str, str, str]]:
    """Give what real packets say: (source subnet, target, target subnet or "", verdict), path by path."""
    with Lab(world) as lab:
        for subnet in world["hosts"]["F"]["subnets"]:
            start = f"F.{subnet}"
            ends = [(f"D.{there}", address(world, "D", there)) for there in world["hosts"]["D"]["subnets"]]
            for (space, _), reached in zip(ends, lab.connects(start, ends, 5432), strict=True):
                yield subnet, "D", space.removeprefix("D."), "reached" if reached else "blocked"
            public = [("internet", far) for far in (*AT_LARGE, *SINGLED_OUT)]
            found = lab.connects(start, public, 443)
            at_large = found[: len(AT_LARGE)]
            verdict = "reached" if all(at_large) else "unknown" if any(found) else "blocked"
            yield subnet, "internet", "", verdict
