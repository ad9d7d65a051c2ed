"""Near-duplicates among a sweep's outputs: which cell looks like an earlier one, which endpoint ignores its seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from fal_nb.scoring.likeness import HASH_BITS, Fingerprint, fingerprint
from fal_nb.sweeps.values import canonical

if TYPE_CHECKING:
    import numpy as np

    from fal_nb.artifacts import Artifact
    from fal_nb.sweeps.cell_view import CellView

__all__ = ["find_like", "fingerprints", "ignored_seeds"]

_THREADS = 4
_SEED = "seed"
_SEEN_KINDS = ("image", "video")


def fingerprints(views: Iterable[CellView], known: dict[str, Fingerprint]) -> dict[str, Fingerprint]:
    """Return the fingerprint of each cell whose first file is a picture or a film; made from thumbnails, each once.

    Parameters
    ----------
    known
        Digest → fingerprint, of earlier; it is added to.
    """
    files = {view.cell.key: view.artifacts[0] for view in views if view.state == "SUCCEEDED" and view.artifacts}
    files = {key: file for key, file in files.items() if file.kind in _SEEN_KINDS and file.thumbnail}
    new = {_name(file): file.thumbnail or b"" for file in files.values() if _name(file) not in known}
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="fal-nb-hash") as pool:
        known.update(zip(new, pool.map(fingerprint, new.values()), strict=True))
    return {key: known[_name(file)] for key, file in files.items()}


def _name(file: Artifact) -> str:
    return file.digest or f"{file.url} {len(file.thumbnail or b'')}"


def find_like(prints: Mapping[str, Fingerprint], bits: int) -> dict[str, tuple[str, int]]:
    """Return for each cell that looks like an earlier one which that is, and in how many bits they differ.

    An output is compared with those before it that are like no other themselves, so that a row of small steps does not
    make one out of its ends; of several the nearest is taken.
    """
    found: dict[str, tuple[str, int]] = {}
    kept: list[str] = []
    table = _Table(len(prints))
    for key, own in prints.items():
        distance, place = table.nearest(own)
        if distance <= bits:
            found[key] = (kept[place], distance)
        else:
            table.add(own)
            kept.append(key)
    return found


class _Table:
    """Fingerprints in arrays, for a sweep of thousands has millions of pairs."""

    def __init__(self, most: int) -> None:
        import numpy as np  # noqa: PLC0415 - only where pictures are looked at

        self._np = np
        self._bits = np.zeros((most, HASH_BITS // 8), dtype=np.uint8)
        self._colours: np.ndarray[tuple[int, ...], np.dtype[np.int16]] | None = None
        self._most, self._count = most, 0
        self._ones = np.array([number.bit_count() for number in range(256)], dtype=np.uint8)

    def add(self, one: Fingerprint) -> None:
        if self._colours is None:
            self._colours = self._np.zeros((self._most, len(one.colours)), dtype=self._np.int16)
        self._bits[self._count] = self._row(one)
        self._colours[self._count] = one.colours
        self._count += 1

    def nearest(self, one: Fingerprint) -> tuple[int, int]:
        """Return the distance of the nearest and its place; a distance that nothing has where there is none."""
        if self._colours is None:
            return HASH_BITS + 1, -1
        different = self._ones[self._bits[: self._count] ^ self._row(one)].sum(axis=1)
        colours = self._np.abs(self._colours[: self._count] - self._np.array(one.colours, dtype=self._np.int16))
        different[colours.max(axis=1) > Fingerprint.COLOUR_STEP] = HASH_BITS
        place = int(different.argmin())
        return int(different[place]), place

    def _row(self, one: Fingerprint) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return self._np.frombuffer(one.bits.to_bytes(HASH_BITS // 8, "big"), dtype=self._np.uint8)


def ignored_seeds(views: Sequence[CellView], prints: Mapping[str, Fingerprint], bits: int) -> tuple[str, ...]:
    """Return the endpoints whose outputs do not change with the seed: wherever only it differs, they look the same."""
    groups: dict[tuple[str, str], list[Fingerprint]] = {}
    for view in views:
        own = prints.get(view.cell.key)
        if own is not None and _SEED in view.cell.coordinates:
            rest = {name: value for name, value in view.cell.coordinates.items() if name != _SEED}
            groups.setdefault((view.cell.endpoint, canonical(rest)), []).append(own)
    varies: dict[str, bool] = {}
    for (endpoint, _), members in groups.items():
        if len(members) > 1:
            differs = any(members[0].distance(other) > bits for other in members[1:])
            varies[endpoint] = varies.get(endpoint, False) or differs
    return tuple(endpoint for endpoint, differs in varies.items() if not differs)
