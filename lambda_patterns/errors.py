"""The errors that are the caller's to mend. The command line prints their one line and exits with 2."""


class LambdaPatternsError(Exception):
    """Something the caller gave cannot be used; the message says what, where, why, and how to mend it."""


class ArgumentError(LambdaPatternsError, ValueError):
    """An argument that AWS would refuse, refused before anything is synthesized or sent."""
