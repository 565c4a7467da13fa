"""A bucket of failure records: who claims one, who gives it up, what is left of it."""

import hashlib
import time
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.bucket import RECORDS, Bucket, address

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = f"{RECORDS}orders/1"
CLAIM = f"claims/{KEY}"


class Stored(NamedTuple):
    body: bytes
    modified: float

    @property
    def answer(self) -> dict[str, Any]:
        return {
            "ETag": f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"',
            "LastModified": datetime.fromtimestamp(self.modified, UTC),
            "Body": BytesIO(self.body),
        }


class FakeS3:
    """One bucket, with the conditional writes of S3."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = {key: Stored(body, time.time()) for key, body in objects.items()}
        self.after_head: Callable[[], object] = lambda: None
        self.refused: set[str] = set()

    def _found(self, operation: str, key: str) -> Stored:
        if operation in self.refused:
            raise error(operation, "AccessDenied")
        if key not in self.objects:
            raise error(operation, "404" if operation == "HeadObject" else "NoSuchKey")
        return self.objects[key]

    def head_bucket(self, **_: Any) -> None:
        return None

    def get_paginator(self, _name: str) -> Any:
        def pages(Prefix: str, **_: Any) -> Any:  # noqa: N803  # boto3's names
            found = [(key, one) for key, one in self.objects.items() if key.startswith(Prefix)]
            yield {
                "Contents": [{"Key": key, "LastModified": one.answer["LastModified"]} for key, one in found]
            }

        return SimpleNamespace(paginate=pages)

    def get_object(self, Key: str, **_: Any) -> Any:  # noqa: N803  # boto3's names
        return self._found("GetObject", Key).answer

    def head_object(self, Key: str, **_: Any) -> Any:  # noqa: N803  # boto3's names
        answer = self._found("HeadObject", Key).answer
        self.after_head()
        return answer

    def put_object(self, Key: str, Body: bytes, **conditions: Any) -> None:  # noqa: N803  # boto3's names
        taken = self.objects.get(Key)
        if conditions.get("IfNoneMatch") == "*" and taken is not None:
            raise error("PutObject", "PreconditionFailed")
        if "IfMatch" in conditions and self._found("PutObject", Key).answer["ETag"] != conditions["IfMatch"]:
            raise error("PutObject", "PreconditionFailed")
        self.objects[Key] = Stored(Body, time.time())

    def delete_object(self, Key: str, **_: Any) -> None:  # noqa: N803  # boto3's names
        if "DeleteObject" in self.refused:
            raise error("DeleteObject", "AccessDenied")
        self.objects.pop(Key, None)

    def copy_object(self, Key: str, CopySource: dict[str, str], **_: Any) -> None:  # noqa: N803  # boto3's names
        self.objects[Key] = self._found("CopyObject", CopySource["Key"])

    def age(self, key: str, seconds: float) -> None:
        self.objects[key] = self.objects[key]._replace(modified=time.time() - seconds)


def error(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


def bucket(s3: FakeS3) -> Bucket:
    client: Any = s3
    return Bucket(client, "failures")


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3(**{KEY: b'{"id": 1}', "elsewhere": b"no record"})


def test_a_record_is_read_once_and_claimed(s3: FakeS3) -> None:
    place = bucket(s3)
    (message,) = place.receive(300)
    assert (message.id, message.body) == (KEY, '{"id": 1}')
    assert message.system == {"SentTimestamp": str(int(s3.objects[KEY].modified * 1000))}
    assert place.receive(300) == []
    assert bucket(s3).receive(300) == [], "it is claimed"
    place.release([message])
    assert CLAIM not in s3.objects
    assert len(bucket(s3).receive(300)) == 1


def test_a_claim_is_taken_over_after_its_time_and_not_before(s3: FakeS3) -> None:
    bucket(s3).receive(300)
    s3.age(CLAIM, 299)
    assert bucket(s3).receive(300) == []
    s3.age(CLAIM, 301)
    assert len(bucket(s3).receive(300)) == 1
    assert bucket(s3).receive(300) == [], "and is new then"


def test_of_two_who_find_a_claim_old_one_takes_it_over(s3: FakeS3) -> None:
    bucket(s3).receive(300)
    s3.age(CLAIM, 301)
    others: list[int] = []

    def meanwhile() -> None:
        s3.after_head = lambda: None
        others.append(len(bucket(s3).receive(300)))

    s3.after_head = meanwhile
    assert (len(bucket(s3).receive(300)), others) == (0, [1])


def test_a_claim_that_is_given_up_meanwhile_is_left_to_the_next(s3: FakeS3) -> None:
    bucket(s3).receive(300)
    s3.age(CLAIM, 301)
    s3.after_head = lambda: s3.objects.pop(CLAIM)
    assert bucket(s3).receive(300) == []


def test_a_claim_that_is_extended_is_as_new(s3: FakeS3) -> None:
    place = bucket(s3)
    messages = place.receive(300)
    s3.age(CLAIM, 301)
    assert place.extend(messages, 300) == []
    assert bucket(s3).receive(300) == []


def test_a_record_that_is_gone_since_it_was_listed_leaves_no_claim(s3: FakeS3) -> None:
    place, other = bucket(s3), bucket(s3)
    keys = other._keys = iter(list(place._listed()))  # noqa: SLF001  # a listing from before
    assert keys is not None
    del s3.objects[KEY]
    assert other.receive(300) == []
    assert CLAIM not in s3.objects


def test_a_record_is_deleted_with_its_claim_or_given_back(s3: FakeS3) -> None:
    place = bucket(s3)
    messages = place.receive(300)
    s3.refused = {"DeleteObject"}
    assert place.delete(messages) == messages
    assert KEY in s3.objects
    s3.refused = set()
    assert place.delete(messages) == []
    assert set(s3.objects) == {"elsewhere"}


def test_a_record_is_set_aside_by_a_copy_or_with_the_reason(s3: FakeS3) -> None:
    place = bucket(s3)
    messages = place.receive(300)
    s3.refused = {"CopyObject"}
    ((message, reason),) = place.set_aside(messages)
    assert (message, bool(reason)) == (messages[0], True)
    s3.refused = set()
    assert place.set_aside(messages) == [(messages[0], None)]
    assert s3.objects[f"quarantine/{KEY}"].body == b'{"id": 1}'
    assert place.put_back(messages) == messages, "an object has no place for a ledger"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://failures", ("failures", RECORDS)),
        ("s3://failures/", ("failures", RECORDS)),
        ("s3://failures/quarantine/", ("failures", "quarantine/")),
    ],
)
def test_an_address_is_a_bucket_with_or_without_a_prefix(text: str, place: tuple[str, str]) -> None:
    assert address(text) == place


@pytest.mark.parametrize("text", ["s3://", "s3://UPPER", "failures", "s3://a-"])
def test_what_is_no_address_of_a_bucket_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        address(text)
    assert str(refused.value) == f"{text!r} is no bucket: give s3://bucket or s3://bucket/prefix"
