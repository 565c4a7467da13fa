"""What AWS documents, as data: each figure once, with its unit, its reason, its source and its date."""
