"""The constructs: right by default, connected by one call. The only layer that builds with aws_cdk."""
