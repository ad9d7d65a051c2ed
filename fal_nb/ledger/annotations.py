"""What people write on records: tags, a note, a rating. The only part of a record that is theirs."""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from fal_nb.errors import HistoryError
from fal_nb.ledger.database import Database
from fal_nb.ledger.rows import to_json, to_sql

__all__ = ["Annotations", "clean_note", "clean_rating", "clean_tags"]

_TAG_CHARS = 60
_MOST_TAGS = 100
_NOTE_CHARS = 10_000
_RATINGS = range(6)


def clean_tags(tags: Iterable[Any]) -> tuple[str, ...]:
    """Return tags as they are kept: without spaces around them, each once.

    Raises
    ------
    HistoryError
        Where one is no text of 1 to 60 characters on one line.
    """
    if isinstance(tags, str):
        tags = (tags,)
    if not isinstance(tags, Iterable):
        raise HistoryError(f"Tags are a text or a list of texts, not a {type(tags).__name__}.")
    cleaned = []
    for tag in tags:
        text = tag.strip() if isinstance(tag, str) else ""
        if not 0 < len(text) <= _TAG_CHARS or any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text):
            raise HistoryError(f"A tag is a text of 1 to {_TAG_CHARS} characters on one line, not {tag!r:.80}.")
        cleaned.append(text)
    return tuple(dict.fromkeys(cleaned))


def clean_note(text: str | None) -> str | None:
    """Return a note as it is kept; None where it is empty.

    Raises
    ------
    HistoryError
        Where it is no text, or over 10,000 characters long.
    """
    if text is not None and not isinstance(text, str):
        raise HistoryError(f"A note is a text, not {text!r:.80}.")
    if text is not None and len(text) > _NOTE_CHARS:
        raise HistoryError(f"A note has at most {_NOTE_CHARS} characters, not {len(text)}.")
    return text if text and text.strip() else None


def clean_rating(rating: Any) -> int | None:
    """Return a rating as it is kept.

    Raises
    ------
    HistoryError
        Where it is neither a whole number from 0 to 5 nor None.
    """
    if rating is None:
        return None
    if isinstance(rating, bool) or rating not in _RATINGS:
        raise HistoryError(f"A rating is a whole number from 0 to 5, or None for none, not {rating!r:.80}.")
    return int(rating)


class Annotations:
    """Part of `HistoryStore`: each method is one commit, and what another kernel writes meanwhile is not lost."""

    _database: Database

    def tag(self, record_id: int, tags: Iterable[str]) -> tuple[str, ...]:
        """Add tags to a record and return all it has now, the oldest first.

        Raises
        ------
        HistoryError
            Also where there is no such record, or a tag is none.
        """
        added = clean_tags(tags)
        return self._retag(record_id, lambda present: (*present, *(tag for tag in added if tag not in present)))

    def untag(self, record_id: int, tags: Iterable[str]) -> tuple[str, ...]:
        """Take tags off a record and return those that are left; one it does not have is no mistake. Raises as `tag`.

        Parameters
        ----------
        tags
            Which; none at all means every one.
        """
        gone = clean_tags(tags)
        return self._retag(record_id, lambda present: tuple(tag for tag in present if gone and tag not in gone))

    def ratings(self, record_ids: Iterable[int]) -> dict[int, int]:
        """Return the ratings of those records that have one, by number."""
        wanted = set(record_ids)
        if not wanted:
            return {}
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, rating FROM records WHERE id BETWEEN ? AND ? AND rating IS NOT NULL",
                (min(wanted), max(wanted)),
            )
            return {record_id: rating for record_id, rating in rows if record_id in wanted}

    def _retag(self, record_id: int, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> tuple[str, ...]:
        with self._database.writing() as connection:
            row = connection.execute("SELECT tags FROM records WHERE id = ?", (record_id,)).fetchone()
            if row is None:
                raise HistoryError(f"There is no record #{record_id} in the history.")
            present = tuple(json.loads(row[0]))
            changed = change(present)
            if len(changed) > _MOST_TAGS:
                raise HistoryError(f"A record has at most {_MOST_TAGS} tags; #{record_id} has {len(present)}.")
            if changed != present:
                values = (to_sql("tags_json", to_json(list(changed))), time.time(), record_id)
                connection.execute("UPDATE records SET tags = ?, updated = ? WHERE id = ?", values)
        return changed
