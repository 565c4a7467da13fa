"""A figure that AWS enforces. The same `Limit` serves the constructs' arguments and the rules."""

from dataclasses import dataclass

from lambda_patterns.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Limit:
    """A closed range of numbers that AWS accepts for one setting.

    Args:
        name: the setting in words, as messages name it ("memory").
        low: the smallest value accepted, in `unit`.
        high: the largest value accepted, in `unit`.
        unit: the unit of the values ("MB", "s", "subnets").
        why: one sentence, lower case, why the range is what it is.
        source: the address of the page that says so.
        whole: whether only whole numbers are accepted. Default True: nearly all of AWS's settings are.
    """

    name: str
    low: float
    high: float
    unit: str
    why: str
    source: str
    whole: bool = True

    def problem(self, value: object) -> str | None:
        """Say in one clause why `value` is refused, or None if it is accepted.

        "memory is 64 MB, allowed are 128-10,240 MB"
        """
        # "layers are 6, allowed are 0-5": the name says the unit already
        verb, unit = ("are", "") if self.name.endswith(self.unit) else ("is", f" {self.unit}")
        if self.low == self.high:
            allowed = f"allowed is {self.low:,}{unit}"
        else:
            allowed = f"allowed are {self.low:,}-{self.high:,}{unit}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{self.name} {verb} {value!r}, {allowed}"
        if not self.low <= value <= self.high:
            return f"{self.name} {verb} {value:,}{unit}, {allowed}"
        if self.whole and value != int(value):
            return f"{self.name} {verb} {value:,}{unit}, {allowed}, whole numbers only"
        return None

    def check(self, value: object, argument: str | None = None) -> None:
        """Raise `ArgumentError` unless `value` is accepted.

        Args:
            value: the value to judge, in `unit`.
            argument: the caller's word for it. Default: the limit's name.
        """
        if problem := self.problem(value):
            where = f"{argument}: " if argument else ""
            raise ArgumentError(f"{where}{problem}: {self.why} ({self.source})")
