import dataclasses
import time
from typing import ClassVar

import comm
import pytest
from comm.base_comm import BaseComm

from fal_nb.artifacts import Artifact
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.runtime import Runtime


class RecordingComm(BaseComm):
    """A comm whose far end is a list."""

    published: ClassVar[list] = []

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        self.published.append((time.monotonic(), msg_type, data or {}, buffers or [], self.comm_id))


@pytest.fixture
def wire(monkeypatch):
    """Every message that Python sent to the front end: (monotonic seconds, type, data, buffers, comm id)."""
    RecordingComm.published = []
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    return RecordingComm.published


@pytest.fixture
def runtime():
    runtime = Runtime()
    yield runtime
    runtime.close()


class PlainJob:
    """What a card needs of a job, driven by the test."""

    def __init__(self, **changes):
        known = {
            "record_id": 1,
            "endpoint": "fal-ai/flux/dev",
            "backend": "simulator",
            "kind": "queue",
            "state": "QUEUED",
            "arguments": {"prompt": "a red fox"},
            "created": 1000.0,
        }
        self.snapshot = JobSnapshot(**(known | changes))
        self.observers = []
        self.cancels = 0

    def observe(self, observer):
        self.observers.append(observer)

    def unobserve(self, observer):
        self.observers.remove(observer)

    def request_cancel(self):
        self.cancels += 1

    def become(self, **changes):
        self.snapshot = dataclasses.replace(self.snapshot, **changes)
        for observer in self.observers:
            observer(self.snapshot)


@pytest.fixture
def plain_job():
    return PlainJob


@pytest.fixture
def make_artifact():
    def make(**changes):
        known = {
            "index": 0,
            "where": ("images", 0),
            "url": "https://x/y.png",
            "kind": "image",
            "content_type": "image/png",
            "file_name": "y.png",
            "digest": "ab" * 32,
            "thumbnail": b"RIFFxxxxWEBP",
        }
        return Artifact(**(known | changes))

    return make


class Handle:
    """A display handle that keeps what it was given."""

    def __init__(self):
        self.updates = []

    def update(self, bundle, *, raw):
        assert raw
        self.updates.append((time.monotonic(), bundle))


@pytest.fixture
def make_handle():
    return Handle
