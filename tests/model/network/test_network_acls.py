"""What a network ACL says of packets that cross a subnet's border."""

import pytest

from lambda_patterns.model.network.acls import EPHEMERAL, Acls
from lambda_patterns.model.network.graph import Acl, AclEntry
from lambda_patterns.model.network.groups import Far
from lambda_patterns.model.network.prefixes import ANY
from lambda_patterns.model.network.trace import Hop, Reason

FAR = Far(ANY[4], "the internet")
ALLOW = AclEntry(100, "-1", 0, 65535, ANY[4], allow=True)


def deny(low: int, high: int, number: int = 90) -> AclEntry:
    return AclEntry(number, "tcp", low, high, ANY[4], allow=False)


def answers(*entries: AclEntry, every_port: bool = True) -> Hop | Reason:
    acls = Acls({"Acl": Acl("Acl", ingress=entries)})
    return acls.judge("Acl", "ingress", ("tcp", *EPHEMERAL), FAR, every_port=every_port)


def said(found: Hop | Reason) -> tuple[str | None, str]:
    assert isinstance(found, Reason)
    return found.code, found.sentence


BLOCKED = "SUBNET_ACL_RESTRICTION"
LET_IN = "ingress does not let answers to tcp 1024-65535 in from the internet"


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ((), f"{LET_IN}: no entry allows it"),
        ((deny(0, 65535), ALLOW), f"{LET_IN}: entry 90: deny tcp all ports"),
        ((deny(1024, 1024), ALLOW), f"{LET_IN} (1024-1024 are denied): entry 90: deny tcp 1024"),
        ((deny(1024, 2047), ALLOW), f"{LET_IN} (1024-2047 are denied): entry 90: deny tcp 1024-2047"),
        ((deny(3389, 3389), ALLOW), f"{LET_IN} (3389-3389 are denied): entry 90: deny tcp 3389"),
        ((deny(65535, 65535), ALLOW), f"{LET_IN} (65535-65535 are denied): entry 90: deny tcp 65535"),
    ],
)
def test_one_denied_port_of_those_in_use_stops_the_answers(
    entries: tuple[AclEntry, ...], sentence: str
) -> None:
    expected = sentence if not entries else f"{sentence}, 0.0.0.0/0"
    assert said(answers(*entries)) == (BLOCKED, expected)


def test_a_client_that_takes_some_of_the_ports_may_take_those_that_are_let_in() -> None:
    found = answers(deny(3389, 3389), ALLOW, every_port=False)
    assert said(found) == (
        None,
        (
            "whether ingress lets answers to tcp 1024-65535 in from the internet is not known: "
            "entry 90: deny tcp 3389, 0.0.0.0/0"
        ),
    )
    assert said(answers(deny(0, 65535), ALLOW, every_port=False))[0] == BLOCKED


@pytest.mark.parametrize("low_and_high", [(0, 1023), (22, 22), (1023, 1023)])
def test_ports_beside_those_of_the_answers_are_not_asked(low_and_high: tuple[int, int]) -> None:
    assert answers(deny(*low_and_high), ALLOW) == Hop(
        "Acl", "network ACL", "entry 100: allow all traffic, 0.0.0.0/0"
    )


def test_the_lowest_number_decides_in_whatever_order_the_entries_are_written() -> None:
    assert isinstance(answers(ALLOW, deny(0, 65535, number=110)), Hop)
    assert said(answers(ALLOW, deny(0, 65535, number=99)))[0] == BLOCKED


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (AclEntry(None, "tcp", 0, 65535, ANY[4], allow=False), "entry: deny tcp all ports, 0.0.0.0/0"),
        (AclEntry(90, None, None, None, ANY[4], allow=False), "entry 90: deny unknown protocol, 0.0.0.0/0"),
        (AclEntry(90, "tcp", None, 2047, None, allow=False), "entry 90: deny tcp ?-2047, unknown block"),
        (AclEntry(90, "-1", 0, 65535, ANY[4], allow=None), "entry 90: allow or deny all traffic, 0.0.0.0/0"),
    ],
)
def test_what_is_not_known_of_an_entry_leaves_open_what_it_may_deny(entry: AclEntry, sentence: str) -> None:
    whether = "whether ingress lets answers to tcp 1024-65535 in from the internet is not known: "
    assert said(answers(entry, ALLOW)) == (None, whether + sentence)
