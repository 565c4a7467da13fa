"""The network proof against the oracle that sends every packet: `python -m bench.oracle [CASES] [SEED]`.

Prints how many networks and questions were compared, how the verdicts fell, and every disagreement.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/model/network"))

from oracle import verdict  # found by the line above
from questions import QUESTIONS, agrees, solved
from worlds import make

WITH_UNKNOWNS = 4  # every so many networks one has things that are not known


def main() -> int:
    """Compare and print; the number of disagreements is the exit code."""
    cases, seed = ([int(word) for word in sys.argv[1:]] + [1000, 0][len(sys.argv) - 1 :])[:2]
    verdicts: Counter[str] = Counter()
    wrong = solving = naive = 0.0
    for index in range(cases):
        unknowns = index % WITH_UNKNOWNS == 0
        world = make(Random(seed + index), unknowns=unknowns)  # noqa: S311  # a seed draws it again
        for source, target, port in QUESTIONS:
            started = time.perf_counter()
            found = solved(world, source, target, port).verdict
            between = time.perf_counter()
            expected = verdict(world, source, target, port)
            naive += time.perf_counter() - between
            solving += between - started
            verdicts[f"{expected}, proved {found}"] += 1
            if not agrees(world, source, found, expected, unknowns=unknowns):
                wrong += 1
                print(
                    f"disagreement: seed {seed + index} unknowns={unknowns} {source} -> {target}: {found},"
                    f" not {expected}"
                )
    print(f"networks: {cases}, questions: {sum(verdicts.values())}, disagreements: {wrong:.0f}")
    for kind, count in sorted(verdicts.items()):
        print(f"  {kind}: {count}")
    print(f"solver {solving:.1f} s, oracle {naive:.1f} s")
    return min(int(wrong), 100)


if __name__ == "__main__":
    sys.exit(main())
