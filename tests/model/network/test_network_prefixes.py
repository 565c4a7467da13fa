"""Address blocks against those of Python's own `ipaddress`."""

from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.model.network.prefixes import ANY, Prefix, not_public, parse, sample, split

Block = IPv4Network | IPv6Network


def of(block: Block) -> Prefix:
    found = parse(str(block))
    assert found is not None
    return found


@st.composite
def blocks(draw: st.DrawFn, version: int | None = None) -> Block:
    """Blocks that nest often: few distinct first bits."""
    kind = version or draw(st.sampled_from([4, 6]))
    bits, network = (32, IPv4Network) if kind == 4 else (128, IPv6Network)
    length = draw(st.integers(0, bits))
    first = draw(st.sampled_from([0, 10, 172, 255])) << (bits - 8) | draw(st.integers(0, (1 << bits - 8) - 1))
    return network((first, length), strict=False)


@given(blocks())
def test_a_block_is_read_and_written_as_ipaddress_does(block: Block) -> None:
    found = of(block)
    assert (str(found), found.length, found.version) == (str(block), block.prefixlen, block.version)
    assert (found.first, found.last) == (int(block[0]), int(block[-1]))


@given(blocks(), blocks())
def test_one_block_covers_another_wholly_in_part_or_not(one: Block, other: Block) -> None:
    same_version = one.version == other.version
    whole = same_version and other.subnet_of(one)  # type: ignore[arg-type]  # of one version
    part = same_version and other.overlaps(one)
    assert of(one).covers(of(other)) is (True if whole else None if part else False)


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "10.0.0/8", "::/129", "sg-1", "10.0.0.0/-1"])
def test_what_is_no_address_block_is_none(text: str) -> None:
    assert parse(text) is None


def test_every_address_is_a_block_of_length_0() -> None:
    assert {version: str(block) for version, block in ANY.items()} == {4: "0.0.0.0/0", 6: "::/0"}
    assert parse(" 10.0.0.7/8 ") == of(IPv4Network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("0.1.2.3", False),
        ("9.255.255.255", True),
        ("10.0.0.0", False),
        ("10.255.255.255", False),
        ("11.0.0.0", True),
        ("100.63.255.255", True),
        ("100.64.0.0", False),
        ("100.127.255.255", False),
        ("100.128.0.0", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("172.15.255.255", True),
        ("172.16.0.0", False),
        ("172.31.255.255", False),
        ("172.32.0.0", True),
        ("192.168.1.1", False),
        ("192.169.0.0", True),
        ("223.255.255.255", True),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("1fff::1", False),
        ("2000::", True),
        ("3fff:ffff::", True),
        ("4000::", False),
        ("::1", False),
    ],
)
def test_what_no_host_of_the_internet_has_is_not_public(address: str, public: bool) -> None:
    block = parse(address)
    assert block is not None
    assert any(one.covers(block) for one in not_public()) is not public


@given(blocks(4), st.lists(blocks(4), max_size=6))
def test_each_part_that_blocks_tell_apart_has_one_address_of_its_own(
    whole: Block, others: list[Block]
) -> None:
    block, mentioned = of(whole), [of(other) for other in others]
    parts = list(split(block, mentioned))
    matched = [frozenset(str(one) for one in mentioned if one.covers(address)) for address, _ in parts]
    assert len(set(matched)) == len(parts), "no two parts are matched by the same blocks"
    for address, part in parts:
        assert block.covers(part) is True
        assert part.covers(address) is True
        assert address.length == 32
    inside = [one for one in {*mentioned, block} if block.covers(one)]
    for one in inside:
        for end in (one.first, one.last):
            at = Prefix(4, end, end)
            assert frozenset(str(other) for other in mentioned if other.covers(at)) in matched


def test_an_address_outside_of_what_covers_all_is_none() -> None:
    block = of(IPv4Network("10.0.0.0/24"))
    halves = [of(IPv4Network("10.0.0.0/25")), of(IPv4Network("10.0.0.128/25"))]
    assert sample(block, halves) is None
    assert sample(block, halves[:1]) == of(IPv4Network("10.0.0.128/32"))
    assert sample(block, halves[1:]) == of(IPv4Network("10.0.0.0/32"))
    assert sample(block, [ANY[6]]) == of(IPv4Network("10.0.0.0/32"))
