"""Where each failed event goes: who invokes a function, what catches its failures, and who watches that.

`Failures` answers for one deployment. Its parts: `invocations` (triggers and qualifiers), `queues` (sources,
redrives, what holds failures), `alarms`, `loops`.

Not modelled: failures that a function's code handles itself, and what its code sends or invokes; filters of
event buses, so no loop through a bus is seen; destinations of event sources other than streams.
"""

from lambda_patterns.model.failures.alarms import Alarm
from lambda_patterns.model.failures.failures import Failures
from lambda_patterns.model.failures.invocations import Invoked, Trigger
from lambda_patterns.model.failures.outcomes import Outcome
from lambda_patterns.model.failures.queues import Redrive, Source

__all__ = ["Alarm", "Failures", "Invoked", "Outcome", "Redrive", "Source", "Trigger"]
