"""What loses a failed event, hides it, or keeps it from being handled."""

from lambda_patterns.rules.failures import dead_letters, encryption, handling, sources, subscriptions

RULES = (
    *dead_letters.RULES,
    *encryption.RULES,
    *handling.RULES,
    *sources.RULES,
    *subscriptions.RULES,
)
