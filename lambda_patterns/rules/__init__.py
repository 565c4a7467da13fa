"""What must not be, each rule with its reason, its mending and its source. See `rule` for the types."""
