"""What stops a function's traffic, lets too much through, or costs more than it has to."""

from lambda_patterns.rules.network import endpoints, nat, peers, placement, reaching

RULES = (
    *endpoints.RULES,
    *nat.RULES,
    *peers.RULES,
    *placement.RULES,
    *reaching.RULES,
)
