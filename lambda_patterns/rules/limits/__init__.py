"""What Lambda enforces on a function, its package, its concurrency and its event sources."""

from lambda_patterns.rules.limits import concurrency, configuration, events, package, runtime

RULES = (
    *concurrency.RULES,
    *configuration.RULES,
    *events.RULES,
    *package.RULES,
    *runtime.RULES,
)
