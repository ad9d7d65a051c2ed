"""Fetches, stores and describes every file of a result; one that fails spoils no other."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from fal_nb.artifacts.artifact import Artifact
from fal_nb.artifacts.describe import describe
from fal_nb.artifacts.media import LookInside, look_inside
from fal_nb.artifacts.naming import name_artifact
from fal_nb.artifacts.sniff import plain_type
from fal_nb.artifacts.store import ArtifactStore
from fal_nb.errors import FalError, FileError, ProtocolError
from fal_nb.plain import one_line
from fal_nb.protocol.files import FileRef, decode_data_uri, find_files
from fal_nb.protocol.status import JSON

__all__ = ["Fetch", "collect", "glance", "not_stored"]

Fetch: TypeAlias = Callable[[str, Path], Awaitable[tuple[str, int, str | None]]]
"""Downloads a URL into a file and returns (SHA-256 in hexadecimal, bytes, content type of the answer)."""

_MAX_FILES = 1_000
_PARALLEL = 4
_ERROR_CHARS = 300
_NOT_STORED = "not stored here: "
_TOO_MANY = f"neither this file nor any after it was fetched: a result of more than {_MAX_FILES} files"


async def collect(
    result: JSON,
    fetch: Fetch,
    store: ArtifactStore,
    executor: Executor | None = None,
    *,
    known: Sequence[Artifact] = (),
    parallel: int = _PARALLEL,
    look: LookInside = look_inside,
) -> tuple[Artifact, ...]:
    """Return an artifact for each file of a result, in the result's order, its bytes stored.

    A file that cannot be had gives an artifact whose ``error`` says why. The same URL is fetched once; of more than
    a thousand files the next stands for all the rest.

    Parameters
    ----------
    fetch
        Runs on this loop; what it raises becomes the artifact's error.
    executor
        Where files are moved, decoded and drawn; default: the loop's own threads.
    known
        Artifacts of an earlier, interrupted attempt: what of them is stored already is taken as it is.
    parallel
        Files fetched at one time.
    look
        Looks into pictures, films, sounds and solids, in the executor.
    """
    refs = list(itertools.islice(find_files(result), _MAX_FILES + 1))
    gate = asyncio.Semaphore(parallel)
    stored = {artifact.where: artifact for artifact in known if artifact.digest and store.has(artifact.digest)}
    tasks: dict[str, asyncio.Task[Artifact]] = {}
    async with asyncio.TaskGroup() as group:
        for index, ref in enumerate(refs[:_MAX_FILES]):
            if ref.where not in stored and ref.url not in tasks:
                tasks[ref.url] = group.create_task(_take(ref, index, fetch, store, executor, gate, look))
    found = [
        stored.get(ref.where) or (tasks[ref.url].result() if ref.url in tasks else _failed(ref, 0, _TOO_MANY))
        for ref in refs
    ]
    places = enumerate(zip(found, refs, strict=True))
    return tuple(replace(artifact, index=index, where=ref.where) for index, (artifact, ref) in places)


def not_stored(artifacts: Sequence[Artifact]) -> list[Artifact]:
    """Return those that could be had but not be kept, because of the disk here: worth another attempt."""
    return [item for item in artifacts if item.digest is None and (item.error or "").startswith(_NOT_STORED)]


async def glance(
    ref: FileRef,
    index: int,
    fetch: Fetch,
    store: ArtifactStore,
    executor: Executor | None,
    look: LookInside = look_inside,
) -> Artifact:
    """Return what a file is, with its thumbnail, and keep nothing of it.

    Raises
    ------
    FalError, OSError
        Where it cannot be had.
    """
    loop = asyncio.get_running_loop()
    target = store.incoming_path()
    try:
        content_type = None
        if ref.url.startswith("data:"):
            await loop.run_in_executor(executor, _write_data_uri, ref, target)
        else:
            _, _, content_type = await fetch(ref.url, target)
        described = partial(describe, target, ref, index=index, content_type=content_type, look=look)
        return await loop.run_in_executor(executor, described)
    finally:
        with contextlib.suppress(OSError):
            target.unlink(missing_ok=True)


def _write_data_uri(ref: FileRef, target: Path) -> None:
    target.write_bytes(decode_data_uri(ref.url)[0])


async def _take(
    ref: FileRef,
    index: int,
    fetch: Fetch,
    store: ArtifactStore,
    executor: Executor | None,
    gate: asyncio.Semaphore,
    look: LookInside,
) -> Artifact:
    """Fetch, store and describe one file, or say why that was not possible."""
    loop = asyncio.get_running_loop()
    async with gate:
        try:
            if ref.url.startswith("data:"):
                return await loop.run_in_executor(executor, _keep_data_uri, store, ref, index, look)
            target = store.incoming_path()
            try:
                digest, _, content_type = await fetch(ref.url, target)
                return await loop.run_in_executor(
                    executor, _keep, store, target, digest, ref, index, content_type, look
                )
            finally:
                with contextlib.suppress(OSError):  # a disk that can only be read refuses even what changes nothing
                    target.unlink(missing_ok=True)
        except (FileError, OSError) as error:
            disk = error.__cause__ if isinstance(error, FileError) else error
            why = store.unwritable(disk) if isinstance(disk, OSError) else error
            return _failed(ref, index, f"{_NOT_STORED}{why}")
        except FalError as error:
            return _failed(ref, index, str(error) or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one file must not spoil the others; its artifact says what happened
            return _failed(ref, index, f"{type(error).__name__}: {error}")


def _keep(
    store: ArtifactStore,
    target: Path,
    digest: str,
    ref: FileRef,
    index: int,
    content_type: str | None,
    look: LookInside,
) -> Artifact:
    path = store.adopt(target, digest)
    return describe(path, ref, index=index, digest=digest, content_type=content_type, look=look)


def _keep_data_uri(store: ArtifactStore, ref: FileRef, index: int, look: LookInside) -> Artifact:
    try:
        data, content_type = decode_data_uri(ref.url)
    except FileError as error:
        raise ProtocolError(str(error)) from None  # the server's fault, not this disk's
    digest = store.put_bytes(data)
    return describe(store.path(digest), ref, index=index, digest=digest, content_type=content_type, look=look)


def _failed(ref: FileRef, index: int, why: str) -> Artifact:
    content_type = plain_type(ref.content_type) or "application/octet-stream"
    return Artifact(
        index=index,
        where=ref.where,
        url="" if ref.url.startswith("data:") else ref.url,
        kind=ref.kind,
        content_type=content_type,
        file_name=name_artifact(ref, content_type, index),
        error=one_line(why, _ERROR_CHARS),
    )
