"""Measuring a deployed function over memory sizes, and choosing among them."""
