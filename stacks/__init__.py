"""Deployable examples, thin: one stack for each documented pattern."""
