"""A trace for people: one line a hop, the blocker last; and as plain data.

Not modelled: nothing; it shows what `trace` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_patterns.model.network.trace import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.network.trace import Path, Reason, Trace

_SIGNS = {Verdict.REACHED: "ok", Verdict.BLOCKED: "x", Verdict.UNKNOWN: "?"}


def written(trace: Trace) -> Iterator[str]:
    """Write a trace: what was asked, the verdict, and each path hop by hop."""
    yield f"{trace.source} -> {trace.target}, {trace.protocol} {trace.port}: {trace.verdict.upper()}"
    for path in trace.paths:
        yield ""
        yield (
            f"  from {path.subnet or 'a subnet that is not known'}"
            + (f" to {path.to}" if path.to else "")
            + (f": {path.verdict}")
        )
        yield from _path(path)


def _path(path: Path) -> Iterator[str]:
    width = max((len(hop.kind) for hop in path.hops), default=0)
    for hop in path.hops:
        yield f"    ok  {hop.kind:<{width}}  {hop.component}" + (f": {hop.by}" if hop.by else "")
    for reason in path.blocks:
        yield f"    x   {reason.kind}  {reason.component}: {reason.sentence} [{reason.code}]"
    for reason in path.doubts:
        yield f"    {_SIGNS[Verdict.UNKNOWN]}   {reason.kind}  {reason.component}: {reason.sentence}"


def data(trace: Trace) -> dict[str, Any]:
    """Give a trace as plain data, ``{"source", "target", "port", "protocol", "verdict", "paths": [...]}``.

    A path is ``{"subnet", "to", "verdict", "hops": [{"component", "kind", "by"}], "blocks", "doubts"}``, a
    block or doubt ``{"code", "component", "kind", "sentence"}``.
    """
    return {
        "source": trace.source,
        "target": trace.target,
        "port": trace.port,
        "protocol": trace.protocol,
        "verdict": trace.verdict.value,
        "paths": [
            {
                "subnet": path.subnet,
                "to": path.to,
                "verdict": path.verdict.value,
                "hops": [
                    {"component": hop.component, "kind": str(hop.kind), "by": hop.by} for hop in path.hops
                ],
                "blocks": [_reason(reason) for reason in path.blocks],
                "doubts": [_reason(reason) for reason in path.doubts],
            }
            for path in trace.paths
        ],
    }


def _reason(reason: Reason) -> dict[str, str | None]:
    return {
        "code": reason.code,
        "component": reason.component,
        "kind": str(reason.kind),
        "sentence": reason.sentence,
    }
