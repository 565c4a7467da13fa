"""The network proof: what reaches what, hop by hop, and what stops it.

Not modelled: see `graph`, `solver` and `build`.
"""

from lambda_patterns.model.network.network import Network
from lambda_patterns.model.network.solver import Internet, Service
from lambda_patterns.model.network.trace import Hop, Path, Reason, Trace, Verdict

__all__ = ["Hop", "Internet", "Network", "Path", "Reason", "Service", "Trace", "Verdict"]
