"""Failure records: reading, showing and replaying them. Imports the standard library and boto3 only."""
