"""What MiniStack does otherwise than AWS on the paths that failures take, put right from outside."""
