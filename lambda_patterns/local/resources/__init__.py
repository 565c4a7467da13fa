"""The CloudFormation resource types that MiniStack lacks, made by its own APIs or recorded, and said."""
