"""Databases: how functions use them through a proxy, and how databases call functions."""

from lambda_patterns.rules.databases import invoke, proxy, use

RULES = (*proxy.RULES, *use.RULES, *invoke.RULES)
