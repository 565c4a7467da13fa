"""Address blocks as pairs of whole numbers: quick to compare, IPv4 and IPv6 alike.

What is not known of an address is a wider block that holds it: the block of its subnet, or `ANY[version]`.

Not modelled: zone identifiers of IPv6 addresses; blocks written with a netmask instead of a length.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BITS = {4: 32, 6: 128}


class Prefix(NamedTuple):
    """The addresses from `first` to `last`, both included, of IP `version` 4 or 6."""

    version: int
    first: int
    last: int

    @property
    def length(self) -> int:
        """The prefix length in bits: 0 is every address, 32 (IPv4) or 128 (IPv6) one."""
        return _BITS[self.version] - (self.last - self.first).bit_length()

    def covers(self, other: Prefix) -> bool | None:
        """Tell whether every address of `other` lies in this block; None: only some of them do."""
        if self.version != other.version or other.first > self.last or other.last < self.first:
            return False
        return True if self.first <= other.first and other.last <= self.last else None

    def __str__(self) -> str:
        """Write it as CIDR, "10.0.0.0/16"."""
        return _written(self)


@lru_cache(maxsize=65536)
def _written(block: Prefix) -> str:
    if block.version == 4:  # noqa: PLR2004  # an IP version; four numbers are quicker to write than an address object
        parts = (block.first >> 24, block.first >> 16 & 255, block.first >> 8 & 255, block.first & 255)
        return "{}.{}.{}.{}/{}".format(*parts, block.length)
    from ipaddress import IPv6Address  # noqa: PLC0415  # see parse

    return f"{IPv6Address(block.first)}/{block.length}"


ANY = {version: Prefix(version, 0, (1 << bits) - 1) for version, bits in _BITS.items()}


@lru_cache(maxsize=65536)
def parse(text: str) -> Prefix | None:
    """Read "10.0.0.0/16", "::/0" or one address; None where it is no address block."""
    from ipaddress import ip_network  # noqa: PLC0415  # 2 ms, and not every template has addresses

    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    return Prefix(network.version, int(network.network_address), int(network.broadcast_address))


@lru_cache(maxsize=1)
def not_public() -> tuple[Prefix, ...]:
    """Blocks that no host of the internet has: private, shared, loopback, link-local, multicast, reserved.

    Of IPv6 everything outside 2000::/3 is left out.
    Source: https://www.iana.org/assignments/iana-ipv4-special-registry
    """
    written = (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16"
        " 224.0.0.0/4 240.0.0.0/4 ::/3 4000::/2 8000::/1"
    )
    return tuple(block for text in written.split() if (block := parse(text)) is not None)


def sample(block: Prefix, without: Iterable[Prefix]) -> Prefix | None:
    """Give one address of `block` that lies in none of `without`; None where they cover it."""
    at = block.first
    for hole in sorted(hole for hole in without if hole.version == block.version):
        if hole.last < at:
            continue
        if hole.first > at:
            break
        at = hole.last + 1
    return Prefix(block.version, at, at) if at <= block.last else None


def split(block: Prefix, mentioned: Iterable[Prefix]) -> Iterator[tuple[Prefix, Prefix]]:
    """Give an address for each part of `block` that the `mentioned` blocks tell apart, and the part.

    Blocks either nest or are disjoint, so all addresses inside one of them and outside those nested in it
    are matched by the same rules.
    """
    inside = {other for other in mentioned if other != block and block.covers(other)} | {block}
    for part in sorted(inside):
        nested = (other for other in inside if other != part and part.covers(other))
        if (address := sample(part, nested)) is not None:
            yield address, part
