"""What a generator sees of the server: its CDN, its memory of speech, and whether anybody still waits."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from fal_nb.errors import FileError
from fal_nb.protocol.files import decode_data_uri
from fal_nb.simulator.endpoints.detail import field_error
from fal_nb.simulator.endpoints.endpoint import EndpointFailure
from fal_nb.simulator.storage import FileStore

__all__ = ["RequestStudio", "SpeechMemory"]

_REMEMBERED = 4096


class SpeechMemory:
    """What pieces of speech made here say, by digest, so that a transcription of one is true."""

    def __init__(self) -> None:
        self._texts: OrderedDict[bytes, str] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, data: bytes, text: str) -> None:
        """Keep a text; the oldest goes when there are too many."""
        with self._lock:
            self._texts[hashlib.sha256(data).digest()] = text
            while len(self._texts) > _REMEMBERED:
                self._texts.popitem(last=False)

    def recall(self, data: bytes) -> str | None:
        """Return the text, or None."""
        return self._texts.get(hashlib.sha256(data).digest())


class RequestStudio:
    """The studio of one request."""

    def __init__(
        self, request_id: str, files: FileStore, speech: SpeechMemory, media_life_s: float | None = None
    ) -> None:
        self._request_id = request_id
        self._media_life_s = media_life_s
        self._files = files
        self._speech = speech
        self._cancelled = threading.Event()

    @property
    def request_id(self) -> str:
        """The request it works for."""
        return self._request_id

    @property
    def cancelled(self) -> threading.Event:
        """Set when nobody wants the outcome any more."""
        return self._cancelled

    def publish(self, data: bytes, content_type: str, file_name: str) -> str:
        """Put bytes on the CDN and return their URL."""
        return self._files.url(self._files.add(data, content_type, file_name, life_s=self._media_life_s))

    def fetch(self, url: str, field: str) -> tuple[bytes, str]:
        """Return (bytes, content type) of a data URI or of a file of this CDN."""
        if url.startswith("data:"):
            try:
                return decode_data_uri(url)
            except FileError as error:
                raise EndpointFailure(422, field_error(field, "file_download_error", str(error), url[:80])) from error
        file = self._files.find_url(url)
        if file is None:
            message = (
                "The file could not be downloaded: the simulator reads data URIs and files of its own CDN, "
                "nothing from the network. Upload the file first."
            )
            raise EndpointFailure(422, field_error(field, "file_download_error", message, url))
        return file.read(), file.content_type

    def remember(self, data: bytes, text: str) -> None:
        """Keep what a piece of speech says."""
        self._speech.remember(data, text)

    def recall(self, data: bytes) -> str | None:
        """Return what a piece of speech says, if it was made here."""
        return self._speech.recall(data)
