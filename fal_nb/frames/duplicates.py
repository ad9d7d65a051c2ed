"""Which calls of a frame look like an earlier one, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fal_nb.errors import HistoryError
from fal_nb.frames.rows import record_ids
from fal_nb.scoring.look_alikes import MOST_BITS, find_like, fingerprints_of

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.ledger.store import HistoryStore

__all__ = ["COLUMNS", "with_duplicates"]

COLUMNS = ("duplicate_of", "bits", "group")


def with_duplicates(history: HistoryStore, frame: pd.DataFrame, bits: int) -> pd.DataFrame:
    """Return a copy of a frame with the columns of `FalAccessor.duplicates`; columns of these names are replaced.

    Raises
    ------
    HistoryError
        As there.
    """
    import pandas as pd  # noqa: PLC0415 - there already, for whoever has a frame

    if isinstance(bits, bool) or bits not in range(MOST_BITS + 1):
        raise HistoryError(f"Near-duplicates differ in 0 to {MOST_BITS} of 64 bits, not {bits!r:.40}.")
    ids = record_ids(frame)
    pictures = history.first_pictures(number for number in ids if number is not None)
    prints = fingerprints_of(pictures.values(), history.thumbnails_by_digest, history)
    # In the order they were made in, whatever the order of the rows.
    seen = {number: prints[digest] for number, digest in sorted(pictures.items()) if digest in prints}
    like = find_like(seen, bits)
    group = {number: like[number][0] if number in like else number for number in seen}
    columns: tuple[list[int | None], ...] = (
        [like[number][0] if number in like else None for number in ids],
        [like[number][1] if number in like else None for number in ids],
        [group.get(number) if number is not None else None for number in ids],
    )
    found = frame.copy()
    for name, values in zip(COLUMNS, columns, strict=True):
        found[name] = pd.array(values, dtype="Int64")
    return found
