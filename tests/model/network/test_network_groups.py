"""How a rule of a security group is written, and which traffic it matches."""

import pytest

from lambda_patterns.model.network.graph import GroupPeer, GroupRule
from lambda_patterns.model.network.groups import describe, matches_traffic
from lambda_patterns.model.network.prefixes import ANY
from lambda_patterns.model.values import Unknown

PEER = GroupPeer("Web")


@pytest.mark.parametrize(
    ("rule", "direction", "written"),
    [
        (GroupRule("-1", 0, 65535, ANY[4]), "egress", "egress all traffic to 0.0.0.0/0"),
        (GroupRule("tcp", 0, 65535, ANY[6]), "ingress", "ingress tcp all ports from ::/0"),
        (GroupRule("tcp", 443, 443, PEER), "ingress", "ingress tcp 443 from Web"),
        (GroupRule("udp", 53, 54, PEER), "egress", "egress udp 53-54 to Web"),
        (GroupRule("tcp", None, 443, PEER), "egress", "egress tcp ?-443 to Web"),
        (GroupRule("tcp", None, None, PEER), "egress", "egress tcp ? to Web"),
        (GroupRule(None, 443, 443, PEER), "egress", "egress unknown protocol 443 to Web"),
        (GroupRule("tcp", 443, 443, Unknown("a list")), "egress", "egress tcp 443 to a list"),
    ],
)
def test_a_rule_is_written_with_its_traffic_and_its_other_end(
    rule: GroupRule, direction: str, written: str
) -> None:
    assert describe(rule, direction) == written


@pytest.mark.parametrize(
    ("protocol", "low", "high", "matches"),
    [
        ("-1", None, None, True),
        ("tcp", 443, 443, True),
        ("tcp", 444, 500, False),
        ("tcp", 400, 442, False),
        ("tcp", 400, 443, True),
        ("tcp", 443, 500, True),
        ("udp", 443, 443, False),
        ("udp", None, None, False),
        ("tcp", None, 443, None),
        ("tcp", None, 442, False),
        ("tcp", 443, None, None),
        ("tcp", 444, None, False),
        (None, 443, 443, None),
        (None, 444, 444, False),
    ],
)
def test_traffic_matches_by_protocol_and_port_as_far_as_they_are_known(
    protocol: str | None, low: int | None, high: int | None, matches: bool | None
) -> None:
    assert matches_traffic(protocol, low, high, ("tcp", 443)) is matches
