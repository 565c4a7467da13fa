"""Metric math: arithmetic over the series of an alarm. Pure.

Known: + - * / ^, comparisons, AND, OR, IF, FILL with a number, ABS, CEIL, FLOOR, MIN, MAX, SUM, AVG, METRICS.
What is not known is refused when the alarm is made: no alarm stays quiet because nobody reads its expression.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import ast
import math
import operator
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Series = list["float | None"]

_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISON: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_EACH: Mapping[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
_ACROSS: Mapping[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
}
_FILL_ARGUMENTS, _IF_ARGUMENTS = 2, {2, 3}


class UnknownExpressionError(ValueError):
    """An expression that is not understood here; a ValueError fails the resource in CloudFormation."""


def series(
    queries: Sequence[Mapping[str, Any]],
    periods: int,
    read: Callable[[Mapping[str, Any], int], Series],
) -> Series:
    """Compute the one query that returns data, one value per period, the newest first.

    Args:
        queries: MetricDataQuery entries: `{Id, Expression | MetricStat, ReturnData}`.
        periods: how many.
        read: reads a metric: `{Namespace, MetricName, Dimensions, Period, Statistic}`, periods -> values.

    Raises:
        UnknownExpressionError: an expression uses what is not known here.
    """
    by_id = {query["Id"]: query for query in queries}
    done: dict[str, Series] = {}

    def value(identity: str) -> Series:
        if identity not in by_id:
            raise UnknownExpressionError(f"{identity!r} is no id of the alarm's metrics")
        if identity not in done:
            done[identity] = []  # a circle sees an empty series
            query = by_id[identity]
            if query.get("Expression"):
                done[identity] = _Evaluator(periods, value, metrics).compute(query["Expression"])
            else:
                done[identity] = read(_flat(query["MetricStat"]), periods)
        return done[identity]

    metrics = [query["Id"] for query in queries if query.get("MetricStat")]
    returning = [query["Id"] for query in queries if str(query.get("ReturnData", True)).lower() == "true"]
    if len(returning) != 1:
        raise UnknownExpressionError("exactly one of the alarm's metrics returns data")
    return value(returning[0])


def _flat(stat: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(stat["Stat"])
    name = "ExtendedStatistic" if re.fullmatch(r"[a-z]+[\d.]+", kind) else "Statistic"
    return {**stat["Metric"], "Period": stat["Period"], name: kind}


class _Evaluator:
    """Walks one expression, in which every value is a series; numbers are series of one value."""

    def __init__(self, periods: int, value: Callable[[str], Series], metrics: list[str]) -> None:
        self.periods, self.value, self.metrics = periods, value, metrics

    def compute(self, expression: str) -> Series:
        text = re.sub(r"\bAND\b|&&", " and ", expression)
        text = re.sub(r"\bOR\b|\|\|", " or ", text).replace("^", "**")
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError as error:
            raise UnknownExpressionError(f"metric math {expression!r} is not understood") from error
        return self.walk(tree.body)

    def walk(self, node: ast.expr) -> Series:  # noqa: PLR0911  # one for each kind of node
        match node:
            case ast.Constant(value=int() | float() as number):
                return [float(number)] * self.periods
            case ast.Name(id=identity):
                return self.value(identity)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return [None if v is None else -v for v in self.walk(operand)]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _pairwise(_ARITHMETIC[type(op)], self.walk(left), self.walk(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISON:
                return _pairwise(_COMPARISON[type(op)], self.walk(left), self.walk(right))
            case ast.BoolOp(op=op, values=values):
                join = all if isinstance(op, ast.And) else any
                return [_joined(join, row) for row in zip(*map(self.walk, values), strict=True)]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(name, arguments)
            case _:
                raise UnknownExpressionError(f"metric math {ast.unparse(node)!r} is not known here")

    def call(self, name: str, arguments: list[ast.expr]) -> Series:
        if name in _EACH and len(arguments) == 1:
            return [None if v is None else float(_EACH[name](v)) for v in self.walk(arguments[0])]
        if name in _ACROSS and len(arguments) == 1:
            return self.across(_ACROSS[name], arguments[0])
        if name == "FILL" and len(arguments) == _FILL_ARGUMENTS:
            filled = self.walk(arguments[1])
            return [f if v is None else v for v, f in zip(self.walk(arguments[0]), filled, strict=True)]
        if name == "IF" and len(arguments) in _IF_ARGUMENTS:
            test, yes = self.walk(arguments[0]), self.walk(arguments[1])
            no = self.walk(arguments[2]) if len(arguments) > _FILL_ARGUMENTS else [None] * self.periods
            return [y if t else n for t, y, n in zip(test, yes, no, strict=True)]
        raise UnknownExpressionError(f"metric math function {name} is not known here")

    def across(self, join: Callable[[list[float]], float], node: ast.expr) -> Series:
        """Join several series period by period, or one series to a single number."""
        match node:
            case ast.Call(func=ast.Name(id="METRICS"), args=[]):
                rows = [self.value(identity) for identity in self.metrics]
            case ast.List(elts=elements):
                rows = [self.walk(element) for element in elements]
            case _:
                return [_across(join, self.walk(node))] * self.periods
        return [_across(join, row) for row in zip(*rows, strict=True)]


def _pairwise(join: Callable[[float, float], float], left: Series, right: Series) -> Series:
    values: Series = []
    for a, b in zip(left, right, strict=True):
        try:
            values.append(None if a is None or b is None else float(join(a, b)))
        except (ZeroDivisionError, OverflowError):
            values.append(None)
    return values


def _joined(join: Callable[[list[bool]], bool], row: Sequence[float | None]) -> float | None:
    return None if None in row else float(join([bool(value) for value in row]))


def _across(join: Callable[[list[float]], float], row: Sequence[float | None]) -> float | None:
    known = [value for value in row if value is not None]
    return float(join(known)) if known else None
