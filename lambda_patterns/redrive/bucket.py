"""A bucket that holds failure records: the on-failure destination that takes events of any size.

S3 cannot hide an object, so whoever works on one first writes an object below ``claims/``, which S3 lets only
one do. No two claims have the same content, so that S3 tells one from the next by its ETag.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import re
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from lambda_patterns.errors import ArgumentError, LambdaPatternsError
from lambda_patterns.redrive import aws as aws_
from lambda_patterns.redrive.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_s3 import S3Client

_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/(?P<prefix>.*))?")
_AT_ONCE = 10
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
QUARANTINE = "quarantine/"
CLAIMS = "claims/"
RECORDS = "aws/lambda/async/"


class Bucket:
    """Failure records as objects: Lambda writes one for each event, below ``aws/lambda/async/<function>/``.

    Args:
        client: a boto3 S3 client.
        name: the bucket's name.
        prefix: read only the keys that begin so. Default: where Lambda writes.

    Raises:
        LambdaPatternsError: the bucket does not exist, or may not be read.
    """

    is_ordered = False
    most_receives = None
    size = None

    def __init__(self, client: S3Client, name: str, prefix: str = RECORDS) -> None:
        self._client = client
        self._bucket = name
        self._prefix = prefix
        self.name = f"s3://{name}/{prefix}"
        self.arn = f"arn:aws:s3:::{name}"
        self._keys = self._listed()
        self._turn = threading.Lock()
        try:
            client.head_bucket(Bucket=name)
        except (BotoCoreError, ClientError) as error:
            if aws_.is_missing(error):
                raise LambdaPatternsError(f"there is no bucket {name}") from None
            raise aws_.refusal(error, f"bucket {name}") from None

    def now(self) -> int:
        """Tell the time, epoch milliseconds."""
        return int(time.time() * 1000)

    def _listed(self) -> Iterator[tuple[str, int]]:
        listing = self._client.get_paginator("list_objects_v2")
        for page in listing.paginate(Bucket=self._bucket, Prefix=self._prefix):
            for entry in page.get("Contents", []):
                yield entry.get("Key", ""), int(entry["LastModified"].timestamp() * 1000)

    def receive(self, hide: int) -> list[Message]:
        """Read the next ten objects of the listing that nobody else has claimed; each once in a run."""
        read: list[Message] = []
        while not read:
            with self._turn:
                keys = list(islice(self._keys, _AT_ONCE))
            if not keys:
                break
            read = [m for key, modified in keys if (m := self._read(key, modified, hide)) is not None]
        return read

    def _read(self, key: str, modified: int, hide: int) -> Message | None:
        if not self._claim(key, hide):
            return None
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if not aws_.is_missing(error):
                raise
            self._unclaim(key)  # somebody else has replayed it since it was listed
            return None
        return Message(key, body.decode("utf-8", "replace"), system={"SentTimestamp": str(modified)})

    def _claim(self, key: str, hide: int) -> bool:
        """Claim an object; a claim older than `hide` seconds is of somebody who died, and is taken over."""
        claim = CLAIMS + key
        try:
            self._client.put_object(Bucket=self._bucket, Key=claim, Body=uuid4().bytes, IfNoneMatch="*")
        except ClientError as error:
            if aws_.code(error) not in _TAKEN:
                raise
        else:
            return True
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=claim)
            if time.time() - found["LastModified"].timestamp() < hide:
                return False
            # In the place of the very one that was found: of two who find it old only one succeeds.
            self._client.put_object(Bucket=self._bucket, Key=claim, Body=uuid4().bytes, IfMatch=found["ETag"])
        except ClientError as error:
            if aws_.code(error) in _TAKEN or aws_.is_missing(error):
                return False
            raise
        return True

    def _unclaim(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=CLAIMS + key)

    def extend(self, messages: Sequence[Message], hide: int) -> list[Message]:
        """Claim the objects anew, or let them go at once if `hide` is 0."""
        for message in messages:
            if hide:
                self._client.put_object(Bucket=self._bucket, Key=CLAIMS + message.id, Body=uuid4().bytes)
            else:
                self._unclaim(message.id)
        return []

    def release(self, messages: Sequence[Message]) -> None:
        """Give up the claims."""
        self.extend(messages, 0)

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Delete objects; give those that could not be deleted."""
        left = []
        for message in messages:
            try:
                self._client.delete_object(Bucket=self._bucket, Key=message.id)
                self._unclaim(message.id)
            except (BotoCoreError, ClientError):
                left.append(message)
        return left

    def put_back(self, messages: Sequence[Message]) -> list[Message]:
        """Refuse all: an object has no place for a ledger, and stays as it is."""
        return list(messages)

    def set_aside(self, messages: Sequence[Message]) -> list[tuple[Message, str | None]]:
        """Copy objects below ``quarantine/``; give each with None, or with why it could not be copied."""
        results: list[tuple[Message, str | None]] = []
        for message in messages:
            try:
                self._client.copy_object(
                    Bucket=self._bucket,
                    Key=QUARANTINE + message.id,
                    CopySource={"Bucket": self._bucket, "Key": message.id},
                )
            except (BotoCoreError, ClientError) as error:
                results.append((message, aws_.reason(error)))
            else:
                results.append((message, None))
        return results


def address(text: str) -> tuple[str, str]:
    """Read ``s3://bucket/prefix``; without prefix, the one below which Lambda writes.

    Raises:
        ArgumentError: it is no such address.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ArgumentError(f"{text!r} is no bucket: give s3://bucket or s3://bucket/prefix")
    return match["bucket"], match["prefix"] or RECORDS
