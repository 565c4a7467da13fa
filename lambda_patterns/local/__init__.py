"""The embedded AWS: MiniStack behind our launcher, on loopback, with what it lacks added and said."""
