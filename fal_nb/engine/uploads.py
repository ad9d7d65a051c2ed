"""What went up is written down: which bytes a URL stands for, and where they are, so that a replay finds them again.

None of it may keep a call from being made: what cannot be written is logged.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from fal_nb.errors import FalError
from fal_nb.ledger.known_files import KnownFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fal_nb.artifacts.store import ArtifactStore
    from fal_nb.engine.inputs import LocalFile
    from fal_nb.engine.recorder import Recorder

__all__ = ["note_inputs", "note_upload"]

_KEPT_BYTES = 32 * 1024 * 1024
_log = logging.getLogger("fal_nb")


async def note_upload(
    get_recorder: Callable[[], Recorder], store: ArtifactStore, url: str, file: LocalFile, identity: str
) -> None:
    """Write down what is behind a URL; what was only in memory is kept in the store, up to 32 MiB.

    Parameters
    ----------
    get_recorder
        Opens the history, where it is not open yet; may block.
    identity
        The file's, as it was before it went up: its digest, unless it is large.
    """
    digest = None if "\n" in identity else identity
    path = None if file.path is None else str(file.path.absolute())
    known = KnownFile(url, digest, file.name, file.content_type, path, identity if path else None)
    try:
        if file.data is not None and len(file.data) <= _KEPT_BYTES:
            await asyncio.to_thread(store.put_bytes, file.data)
        recorder = await asyncio.to_thread(get_recorder)
        await recorder.note_upload(known)
    except FalError as error:
        _log.warning("an upload is not written down: %s", error)


async def note_inputs(recorder: Recorder, record_id: int, uploaded: Mapping[str, LocalFile]) -> None:
    """Write the digests of a call's uploads on its record; one that changed on its way takes the memo key with it."""
    try:
        digests = await asyncio.to_thread(lambda: {url: file.content_digest() for url, file in uploaded.items()})
        same = all(file.sha256 in {None, digests[url]} for url, file in uploaded.items())
        await recorder.note_inputs(record_id, digests, is_as_keyed=same)
    except FalError as error:
        _log.warning("job #%s: its inputs are not written down: %s", record_id, error)
