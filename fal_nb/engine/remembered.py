"""``Remembered``: what a session does with the calls there were: equal ones, and what people write on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakMethod

from fal_nb.engine.grounds import Grounds
from fal_nb.engine.job import Job
from fal_nb.engine.memo import CallKey, EqualCall, MemoMode, checked_mode, find_answer, key_of, known_digests, sealed
from fal_nb.engine.schema_changes import schema_rows
from fal_nb.engine.snapshot import JobSnapshot
from fal_nb.errors import JobError
from fal_nb.ledger.annotations import clean_note, clean_rating, clean_tags

if TYPE_CHECKING:
    from fal_nb.artifacts import Artifact
    from fal_nb.ledger.records import Record
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["MarkObserver", "Remembered", "annotation_columns"]

MarkObserver: TypeAlias = Callable[[int, Mapping[str, Any]], None]


class Remembered(Grounds):
    """The part of a session that looks back. May be used from any thread."""

    _memo: MemoMode = "off"
    _last: Job | None = None

    def __init__(self, **grounds: Any) -> None:
        super().__init__(**grounds)
        self._kept_schemas: set[str] = set()
        self._mark_observers: list[WeakMethod[MarkObserver]] = []

    @property
    def memo(self) -> MemoMode:
        """What a call does about an equal one in the history, where it does not say: ``off``, ``reuse``, ``refresh``.

        ``off`` calls, and the card says where an equal call is. ``reuse`` answers from the history where it can and
        sends nothing. ``refresh`` calls in any case, and is the newest answer from then on.
        """
        return self._memo

    @memo.setter
    def memo(self, mode: str) -> None:
        self._memo = checked_mode(mode)

    def record(self, word: str | int | Job | None = None) -> Record:
        """Return the record of a job, by itself, its number or its request id, or of the last one; follows nothing.

        Raises
        ------
        JobError
            Where there is none.
        """
        if word is None and self._last is None:
            raise JobError("No job was started in this kernel yet: name one by number or request id.")
        job = self._last if word is None else word
        if isinstance(job, Job):
            return self.history.get(job.record_id)
        record = self.history.find(str(job))
        if record is None:
            raise JobError(f"There is no job {str(job)[:60]!r} in the history: `%fal history` lists them.")
        return record

    def tag(self, job: str | int | Job | None, *tags: str) -> tuple[str, ...]:
        """Add tags to a record and return all it has now.

        Raises
        ------
        JobError, HistoryError
            Where there is no such job, or a tag is no text of 1 to 60 characters.
        """
        record_id = self.record(job).id
        kept = self.history.tag(record_id, clean_tags(tags))
        self._tell_marked(record_id, {"tags": kept})
        return kept

    def untag(self, job: str | int | Job | None, *tags: str) -> tuple[str, ...]:
        """Take tags off a record, all of them where none is named, and return those that are left. Raises as `tag`."""
        record_id = self.record(job).id
        kept = self.history.untag(record_id, clean_tags(tags))
        self._tell_marked(record_id, {"tags": kept})
        return kept

    def note(self, job: str | int | Job | None, text: str | None) -> None:
        """Write a note on a record in place of the one it has; None or nothing takes it off. Raises as `tag`."""
        self._mark(self.record(job).id, note=clean_note(text))

    def rate(self, job: str | int | Job | None, rating: int | None) -> None:
        """Rate a record from 0 to 5; None takes the rating off. Raises as `tag`."""
        self._mark(self.record(job).id, rating=clean_rating(rating))

    def observe_marks(self, observer: MarkObserver) -> None:
        """Call a method with what this kernel writes on records (number, column → value), while its object lives.

        It is called on the loop's thread: other views of the same records show it then, too.
        """
        with self._lock:
            self._mark_observers = [known for known in self._mark_observers if known() is not None]
            self._mark_observers.append(WeakMethod(observer))

    # -- inside ------------------------------------------------------------------------------------------

    def _mark(self, record_id: int, **columns: Any) -> None:
        self.history.update(record_id, **columns)
        self._tell_marked(record_id, columns)

    def _tell_marked(self, record_id: int, columns: Mapping[str, Any]) -> None:
        for known in tuple(self._mark_observers):
            observer = known()
            if observer is not None:
                self.runtime.post(observer, record_id, columns)

    def _keyed(self, called: str, inputs: dict[str, Any], schema: EndpointSchema | None) -> tuple[Any, CallKey]:
        """Return inputs with their files' digests, and the call's key; reads local files."""
        inputs = sealed(inputs)
        key = key_of(self.settings, called, inputs, schema, known_digests(self.history, inputs))
        if schema is not None and schema.digest not in self._kept_schemas:
            self.history.keep_schema(schema.digest, called, schema_rows(schema))
            self._kept_schemas.add(schema.digest)
        return inputs, key

    def _equal(self, key: CallKey, mode: MemoMode) -> tuple[Record, tuple[Artifact, ...]] | None:
        if mode == "refresh":
            return None
        return find_answer(self.history, self.artifacts, key.memo_key, read=mode == "reuse")

    def _shown_again(self, record: Record, artifacts: tuple[Artifact, ...]) -> JobSnapshot:
        """Return the snapshot of an earlier call that answers this one."""
        equal = EqualCall(record.id, record.cost, record.currency, is_answer=True)
        return replace(JobSnapshot.of_record(record, artifacts), equal=equal)


def annotation_columns(tags: str | Iterable[str] | None = None, note: str | None = None) -> dict[str, Any]:
    """Return the columns of a record for what a caller writes on it.

    Raises
    ------
    HistoryError
        Where a tag or the note is none.
    """
    more: dict[str, Any] = {}
    if tags is not None and clean_tags(tags):
        more["tags"] = clean_tags(tags)
    if clean_note(note) is not None:
        more["note"] = note
    return more
