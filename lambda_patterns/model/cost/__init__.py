"""What a deployment costs in a month, and what each way out of a VPC would cost, from dated prices."""

from lambda_patterns.model.cost.estimate import Estimate, estimate
from lambda_patterns.model.cost.line import Line
from lambda_patterns.model.cost.paths import BreakEven, Way, break_even, compare
from lambda_patterns.model.cost.workload import (
    Workload,
    parse_workload,
    read_prices,
    read_workload,
    sheet_of,
)

__all__ = [
    "BreakEven",
    "Estimate",
    "Line",
    "Way",
    "Workload",
    "break_even",
    "compare",
    "estimate",
    "parse_workload",
    "read_prices",
    "read_workload",
    "sheet_of",
]
