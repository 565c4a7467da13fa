"""The answer to one question: does it reach it, by which hops, and if not, what stops it.

The codes are those of AWS Reachability Analyzer.
Source: https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html

Not modelled: its codes for transit gateways, firewalls and VPN, which are never judged here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """REACHED: in every case that the template leaves open. BLOCKED: in none. UNKNOWN: neither is proved."""

    REACHED = "reached"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Hop(NamedTuple):
    """One component that lets the traffic through, and the rule, entry or route by which it does.

    Args:
        component: the resource's name in its template (with the template's name before a slash where there
            are several templates).
        kind: what it is, in AWS's words ("security group", "route table", "NAT gateway").
        by: what let it through ("egress tcp 443 to 0.0.0.0/0").
    """

    component: str
    kind: str
    by: str = ""


class Reason(NamedTuple):
    """What stops the traffic, or what keeps the proof from a verdict.

    Args:
        code: Reachability Analyzer's explanation code; None where nothing blocks but something is not known.
        component: the resource that stops it, named as in `Hop`.
        kind: what that resource is.
        sentence: one plain clause that says it whole.
        direction: "egress" or "ingress" of a security group or network ACL, else "".
    """

    code: str | None
    component: str
    kind: str
    sentence: str
    direction: str = ""


class Path(NamedTuple):
    """From one subnet of the source to one interface of the target, or to the internet.

    Args:
        subnet: the source's subnet, None where it is not known or the source is outside a VPC.
        to: the target's subnet, or what carries the traffic out of the VPC.
        verdict: of this path alone.
        hops: the components passed, in the traffic's order, up to the first that does not let it through.
        blocks: everything known to stop it, the first on the way first.
        doubts: everything that is not known and that matters.
    """

    subnet: str | None
    to: str | None
    verdict: Verdict
    hops: tuple[Hop, ...] = ()
    blocks: tuple[Reason, ...] = ()
    doubts: tuple[Reason, ...] = ()

    @property
    def reason(self) -> Reason | None:
        """The first thing that stops it, or else the first that is not known."""
        return next(iter((*self.blocks, *self.doubts)), None)


class Trace(NamedTuple):
    """Whether `source` reaches `target` on `port`, with one or more paths for each subnet of the source."""

    source: str
    target: str
    port: int
    protocol: str
    verdict: Verdict
    paths: tuple[Path, ...]

    @property
    def deciding(self) -> Path | None:
        """The path that shows the verdict best: the first that has it."""
        return next((path for path in self.paths if path.verdict is self.verdict), None)

    @property
    def reason(self) -> Reason | None:
        """What blocks it or is not known; None where it is reached."""
        if self.verdict is Verdict.REACHED:
            return None
        path = self.deciding or next(iter(self.paths), None)
        return path.reason if path else None


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """All of them are needed: one that is blocked blocks, one that is unknown leaves it open."""
    found = set(verdicts)
    if Verdict.BLOCKED in found:
        return Verdict.BLOCKED
    return Verdict.REACHED if found == {Verdict.REACHED} else Verdict.UNKNOWN


def unanimous(verdicts: Iterable[Verdict]) -> Verdict:
    """Any one of them may be the case: only what they agree on is known."""
    found = set(verdicts)
    return found.pop() if len(found) == 1 else Verdict.UNKNOWN
