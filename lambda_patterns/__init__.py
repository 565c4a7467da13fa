"""Constructs, proofs and failure replay for AWS Lambda inside a VPC.

The layers, each importing only what stands left of it:

    facts <- model <- rules <- cli
    facts <- constructs          (and rules, in the validation plugin alone)

`redrive` imports only the standard library and boto3; `local` is imported by the command line alone, lazily.
"""
