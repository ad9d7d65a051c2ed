"""Takes the key out of what a server says: some answer with the request they got, headers and all."""

from __future__ import annotations

import httpx

__all__ = ["KEY_FILTER_EXTENSION", "KeyFilter"]

KEY_FILTER_EXTENSION = "fal_key_filter"
"""Extension of an answer to a request that bore the key: its `KeyFilter`."""

_SHORTEST = 8
_IN_ITS_PLACE = b"[key]"


class KeyFilter:
    """Replaces a key and its two halves in one answer, also where they are cut into pieces."""

    def __init__(self, key: str) -> None:
        parts = {part.encode() for part in (key, *key.split(":")) if len(part) >= _SHORTEST}
        self._parts = sorted(parts, key=len, reverse=True)
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what is sure to hold no key; the beginning of one is held back."""
        data = self._replaced(self._held + chunk)
        held = max((self._beginning(data, part) for part in self._parts), default=0)
        cut = len(data) - held
        self._held = data[cut:]
        return data[:cut]

    def rest(self) -> bytes:
        """Return what was held back, at the end of the answer."""
        rest, self._held = self._held, b""
        return rest

    def clean(self, headers: httpx.Headers) -> httpx.Headers:
        """Return headers without the key."""
        return httpx.Headers([(name, self._replaced(value)) for name, value in headers.raw])

    def _replaced(self, data: bytes) -> bytes:
        for part in self._parts:
            data = data.replace(part, _IN_ITS_PLACE)
        return data

    @staticmethod
    def _beginning(data: bytes, part: bytes) -> int:
        """Return how many of the last bytes could be the beginning of a part."""
        for size in range(min(len(part) - 1, len(data)), 0, -1):
            if data.endswith(part[:size]):
                return size
        return 0
