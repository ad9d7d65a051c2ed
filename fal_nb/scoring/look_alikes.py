"""Near-duplicates among many outputs: fingerprints made once and kept, and the earlier one that each looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fal_nb.scoring.likeness import HASH_BITS, Fingerprint, fingerprint

if TYPE_CHECKING:
    import numpy as np

__all__ = ["MOST_BITS", "KeptPrints", "find_like", "fingerprints_of"]

MOST_BITS = 20
"""In how many of 64 bits near-duplicates may differ at most; what has nothing in common differs in about 32."""

Name = TypeVar("Name", bound=object)

_THREADS = 4
_KEPT_AT_ONCE = 200


class KeptPrints(Protocol):
    """Where fingerprints are kept as bytes, by digest and version; ``HistoryStore`` is one."""

    def fingerprints(self, digests: Iterable[str], version: int) -> Mapping[str, bytes]:
        """Return those that are kept."""

    def keep_fingerprints(self, prints: Mapping[str, bytes], version: int) -> None:
        """Keep some."""


def fingerprints_of(
    digests: Iterable[str],
    thumbnails_of: Callable[[Sequence[str]], Mapping[str, bytes]],
    kept: KeptPrints | None = None,
) -> dict[str, Fingerprint]:
    """Return the fingerprint of each file that has a thumbnail; blocks, and when interrupted keeps what it has made.

    Parameters
    ----------
    thumbnails_of
        Returns the thumbnails (WebP) of some digests; asked for no more than are looked at next.
    """
    wanted = list(dict.fromkeys(digests))
    version = Fingerprint.VERSION
    stored = {} if kept is None else kept.fingerprints(wanted, version)
    found = {digest: Fingerprint.from_bytes(data) for digest, data in stored.items()}
    missing = [digest for digest in wanted if digest not in found]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="fal-nb-hash") as pool:
        for at in range(0, len(missing), _KEPT_AT_ONCE):
            thumbnails = thumbnails_of(missing[at : at + _KEPT_AT_ONCE])
            made = zip(thumbnails, pool.map(_made, thumbnails.values()), strict=True)
            new = {digest: one for digest, one in made if one is not None}
            found |= new
            if kept is not None and new:
                kept.keep_fingerprints({digest: one.to_bytes() for digest, one in new.items()}, version)
    return {digest: found[digest] for digest in wanted if digest in found}


def _made(thumbnail: bytes) -> Fingerprint | None:
    try:
        return fingerprint(thumbnail)
    except (OSError, SyntaxError, ValueError):
        return None  # damaged: it is like nothing


def find_like(prints: Mapping[Name, Fingerprint], bits: int) -> dict[Name, tuple[Name, int]]:
    """Return for each output that looks like an earlier one which that is, and in how many bits they differ.

    An output is compared with those before it that are like no other themselves, so that a row of small steps does not
    make one out of its ends; of several the nearest is taken.

    Parameters
    ----------
    bits
        The most in which they may differ, below 64.
    """
    found: dict[Name, tuple[Name, int]] = {}
    kept: list[Name] = []
    table = _Table(len(prints), bits)
    for key, own in prints.items():
        distance, place = table.nearest(own)
        if place >= 0:
            found[key] = (kept[place], distance)
        else:
            table.add(own)
            kept.append(key)
    return found


class _Table:
    """Fingerprints in arrays, for thousands of outputs have millions of pairs."""

    def __init__(self, most: int, bits: int) -> None:
        import numpy as np  # noqa: PLC0415 - only where pictures are looked at

        self._np = np
        self._hashes = np.zeros(most, dtype=np.uint64)
        self._colours: np.ndarray[tuple[int, ...], np.dtype[np.int16]] | None = None
        self._most, self._bits, self._count = most, bits, 0
        ones = np.array([number.bit_count() for number in range(1 << 16)], dtype=np.uint8)
        # numpy counts bits itself from version 2 on, in a tenth of the time.
        self._count_ones = getattr(np, "bitwise_count", lambda bits: _looked_up(ones, bits))

    def add(self, one: Fingerprint) -> None:
        if self._colours is None:
            self._colours = self._np.zeros((self._most, len(one.colours)), dtype=self._np.int16)
        self._hashes[self._count] = one.bits
        self._colours[self._count] = one.colours
        self._count += 1

    def nearest(self, one: Fingerprint) -> tuple[int, int]:
        """Return the distance of the nearest that is near enough and its place; -1 where there is none."""
        if self._colours is None:
            return HASH_BITS, -1
        np = self._np
        different = self._hashes[: self._count] ^ np.uint64(one.bits)
        apart = self._count_ones(different)
        near = np.flatnonzero(apart <= self._bits)
        # Few are left to be looked at for their colours.
        colours = np.abs(self._colours[near] - np.array(one.colours, dtype=np.int16))
        near = near[(colours <= Fingerprint.COLOUR_STEP).all(axis=1)]
        if not len(near):
            return HASH_BITS, -1
        place = int(near[apart[near].argmin()])
        return int(apart[place]), place


def _looked_up(ones: np.ndarray[Any, Any], bits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return in how many bits each is one, by a table of all numbers of 16 bits."""
    counted: np.ndarray[Any, Any] = ones[bits.view("uint16")].reshape(-1, HASH_BITS // 16).sum(axis=1, dtype="uint8")
    return counted
