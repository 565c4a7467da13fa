"""The network proof against real packets: `python -m bench.namespaces [NETWORKS] [SEED]`, as root.

Each network is built from Linux namespaces, routes and nftables; every path is tried with TCP connections.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/model/network"))

from namespaces import address, missing, outcomes
from questions import machine_passed, paths
from worlds import make


def main() -> int:
    """Compare and print; the number of disagreements is the exit code."""
    if reason := missing():
        print(f"skipped: {reason}")
        return 0
    networks, seed = ([int(word) for word in sys.argv[1:]] + [50, 0][len(sys.argv) - 1 :])[:2]
    verdicts: Counter[str] = Counter()
    wrong = 0
    for index in range(seed, seed + networks):
        world = make(Random(index))  # noqa: S311  # a seed draws the same network again
        proved = paths(world, address)
        for subnet, target, there, real in outcomes(world):
            found = proved[subnet, target, there]
            verdicts[f"{real}, proved {found}"] += 1
            if found != real and not (found == "unknown" and machine_passed(world)):
                wrong += 1
                print(
                    f"disagreement: seed {index} {subnet} -> {target} {there}: proved {found}, packets {real}"
                )
    print(f"networks: {networks}, paths: {sum(verdicts.values())}, disagreements: {wrong}")
    for kind, count in sorted(verdicts.items()):
        print(f"  {kind}: {count}")
    return min(wrong, 100)


if __name__ == "__main__":
    sys.exit(main())
