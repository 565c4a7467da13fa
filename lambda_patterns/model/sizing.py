"""Memory, vCPUs and a starting size: what can be said before anything is measured.

Known: CPU grows in proportion to memory, 1,769 MB are one vCPU, 10,240 MB are up to six. A single thread
uses one vCPU at most, so memory above 1,769 MB makes it no faster. AWS gives no figure for the network; it
only says that a function bound by the network can get faster with more memory.

Not modelled: how many cores a memory size shows (AWS does not say), bandwidth, caches, CPU generations. A
starting size is a place to measure from: `lambda-patterns tune` measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts.limits import MEMORY, VCPU_MEMORY

SOURCE = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
MOST_VCPUS = 6
HEADROOM = 1.25
"""What the starting size holds beyond the peak: a fourth more, for the event that is larger."""


def vcpus(memory: int) -> float:
    """The CPU time that a memory size is given, in vCPUs: 1,769 MB is 1.0, 128 MB is 0.07, 10,240 MB is 5.79.

    Args:
        memory: MB, 128-10,240.

    Raises:
        ArgumentError: the memory is out of range.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    """
    MEMORY.check(memory)
    return memory / VCPU_MEMORY


def memory_for(wanted: float) -> int:
    """The least memory, in MB, that is given `wanted` vCPUs; 10,240 MB for what lies between 5.79 and 6.

    Args:
        wanted: vCPUs, more than 0 and at most 6.

    Raises:
        ArgumentError: no function is given that many.
    """
    if not 0 < wanted <= MOST_VCPUS:
        raise ArgumentError(
            f"vCPUs are {wanted:g}, allowed are more than 0 and up to {MOST_VCPUS} ({SOURCE})"
        )
    return int(min(MEMORY.high, max(MEMORY.low, ceil(round(wanted * VCPU_MEMORY, 6)))))


class Bound(StrEnum):
    """What an invocation waits for most of its time."""

    CPU = "cpu"
    MEMORY = "memory"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class StartingSize:
    """Where to start measuring.

    Args:
        memory: MB.
        vcpus: what this memory is given.
        reason: one sentence, lower case.
    """

    memory: int
    vcpus: float
    reason: str


@dataclass(frozen=True, slots=True)
class WorkloadProfile:
    """What is known of a function before it is measured.

    Args:
        bound: what it waits for most of its time.
        peak_memory: the most that it holds at once, in MB, runtime and libraries included. Default 0: not
            known.
        threads: the threads or processes that compute at the same time. Default 1, which is what Python and
            Node.js handlers use unless they were written otherwise.
        transfer: the MB that one invocation moves over the network. Default 0: many small answers, few bytes.

    Raises:
        ArgumentError: a quantity makes no sense, or the peak leaves no room in the largest function.
    """

    bound: Bound
    peak_memory: float = 0
    threads: int = 1
    transfer: float = 0

    def __post_init__(self) -> None:
        if self.bound not in tuple(Bound):
            raise ArgumentError(f"bound is {self.bound!r}, allowed are {', '.join(Bound)}")
        for name, value in (("peak_memory", self.peak_memory), ("transfer", self.transfer)):
            if not value >= 0:
                raise ArgumentError(f"{name} is {value:g} MB, allowed are 0 MB and more")
        if not 1 <= self.threads <= 1024:  # noqa: PLR2004  # the quota of processes and threads
            raise ArgumentError(f"threads are {self.threads}, allowed are 1-1,024 ({SOURCE})")
        most = MEMORY.high / HEADROOM
        if self.peak_memory > most:
            raise ArgumentError(
                f"peak_memory is {self.peak_memory:,g} MB, at most {most:,.0f} MB and a fourth more fit into "
                f"{MEMORY.high:,} MB: split the work, or run it elsewhere"
            )

    @property
    def start(self) -> StartingSize:
        """The size to measure from, and why it is that one."""
        least = max(int(MEMORY.low), ceil(self.peak_memory * HEADROOM))
        held = (
            f"it holds {self.peak_memory:,g} MB and a fourth more" if self.peak_memory else "it holds little"
        )
        if self.bound == Bound.CPU:
            wanted = memory_for(min(self.threads, MOST_VCPUS))
            reason = (
                "one thread uses one vCPU, which 1,769 MB are given: above it memory costs and gains nothing"
                if self.threads == 1
                else f"{self.threads} threads use up to {min(self.threads, MOST_VCPUS)} vCPUs"
            )
        elif self.bound == Bound.NETWORK and self.transfer:
            wanted = VCPU_MEMORY
            reason = (
                "bulk transfers spend CPU on TLS and copying: one vCPU; AWS gives no figure for bandwidth"
            )
        elif self.bound == Bound.NETWORK:
            wanted = least
            reason = f"waiting is not shortened by memory, and {held}"
        else:
            wanted = least
            reason = held
        if least > wanted:
            reason = f"{held}, which is more than its CPU needs"
        memory = max(least, wanted)
        return StartingSize(memory, vcpus(memory), reason)
