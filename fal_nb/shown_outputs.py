"""``ShownOutputs``: the outputs of a history, a sweep or a frame as a gallery sees them."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fal_nb.errors import HistoryError
from fal_nb.frames.rows import record_ids
from fal_nb.ledger.outputs import Output
from fal_nb.ledger.queries import Selection
from fal_nb.ledger.rows import from_json
from fal_nb.plain import is_plain
from fal_nb.tile_code import Endpoints, TileCode
from fal_nb.views.board_look import CellArtifact, cell_artifact
from fal_nb.views.gallery_look import HIDDEN, SORTS, Facet, OutputLook, Query, Written
from fal_nb.views.twin import result_text

if TYPE_CHECKING:
    from fal_nb.engine.session import Session
    from fal_nb.ledger.records import Record

__all__ = ["ShownOutputs"]

_COLUMNS = ("endpoint", "backend", "sweep", "rating")
_FACET_VALUES = 30
_FACET_CHARS = 60
_FACET_CALLS = 20_000
_MOST_FACETS = 24
_WIDEST, _TALLEST = 4.0, 0.25


class ShownOutputs:
    """Satisfies ``GalleryOutputs``; which outputs it holds is settled when it is made.

    Parameters
    ----------
    record_ids
        Whose outputs; None for the whole history.
    known
        What can be offered where a cell needs another endpoint.
    """

    def __init__(
        self,
        session: Session,
        record_ids: Iterable[int] | None = None,
        name: str = "history",
        known: Endpoints | None = None,
    ) -> None:
        self._session = session
        self._code = TileCode(session, known or _NothingKnown())
        self.name = name
        self._is_whole = record_ids is None
        self._hold(session.history.outputs(record_ids))

    def _hold(self, outputs: list[Output]) -> None:
        self._outputs = outputs
        self.records = [output.record for output in self._outputs]
        self.ratios = [_ratio(output) for output in self._outputs]
        self._places: dict[int, list[int]] = {}
        for place, record in enumerate(self.records):
            self._places.setdefault(record, []).append(place)

    def subset(self, places: Iterable[int]) -> ShownOutputs:
        """Return only the outputs of some places, newest first as ever."""
        some = ShownOutputs(self._session, (), self.name)
        some._hold([self._outputs[place] for place in sorted(places)])
        return some

    @functools.cached_property
    def backend(self) -> str:
        """``simulator`` where none of them is from a real server."""
        backends = self._session.history.values_of("backend", self._selection())
        found = {backend for record, backend in backends.items() if record in self._places}
        return found.pop() if len(found) == 1 else "fal"

    def find(self, query: Query) -> list[int]:
        """Return the places that pass, in order.

        Raises
        ------
        HistoryError
            Where a filter or the order cannot be understood.
        """
        if query.sort not in SORTS:
            raise HistoryError(f"Outputs are sorted by {', '.join(SORTS)}.")
        history = self._session.history
        filters = {name: list(values) for name, values in query.filters.items() if values}
        kinds = filters.pop("kind", None)
        tags = filters.pop("tags", [])
        selection = Selection(where=filters, words=query.words, tags=[str(tag) for tag in tags])
        values = history.values_of("record" if query.sort == "created" else query.sort, selection)
        hidden = set() if query.with_hidden else set(history.values_of("record", Selection(tags=[HIDDEN])))
        passing = [record for record in self._places if record in values and record not in hidden]
        none_last = [record for record in passing if values[record] is not None]
        none_last.sort(key=lambda record: (_order(values[record]), record), reverse=query.is_descending)
        none_last += [record for record in passing if values[record] is None]
        places = [place for record in none_last for place in self._places[record]]
        return places if kinds is None else [place for place in places if self._outputs[place].kind in kinds]

    def facets(self) -> list[Facet]:
        """Return what can be filtered by: kinds, columns and tags, then arguments with more than one value."""
        history, selection = self._session.history, self._selection()
        facets = [_facet("kind", Counter(output.kind for output in self._outputs))]
        for column in _COLUMNS:
            values = history.values_of(column, selection)
            facets.append(_facet(column, Counter(values[record] for record in self._places if record in values)))
        tags = history.values_of("tags", selection)
        counted: Counter[Any] = Counter()
        for record in self._places:
            counted.update(tag for tag in from_json(tags.get(record) or "[]", "tags") if tag != HIDDEN)
        facets.append(_facet("tags", counted, least=1))
        by_argument: dict[str, Counter[Any]] = {}
        for name, value, count in history.argument_counts(_FACET_CALLS) if self._is_whole else self._arguments():
            if name not in {"prompt", "text", "seed", *_COLUMNS, "kind", "tags"}:
                by_argument.setdefault(name, Counter())[value] += count
        facets += [_facet(name, counts) for name, counts in sorted(by_argument.items())]
        return [facet for facet in facets if facet.counts][:_MOST_FACETS]

    def looks(self, places: Sequence[int]) -> dict[int, OutputLook]:
        """Return what the tiles of some places show; a place whose record is gone has none."""
        wanted = {self.records[place] for place in places}
        records = self._session.history.get_many(wanted)
        files = self._session.history.artifacts_of(records)
        found: dict[int, OutputLook] = {}
        for place in places:
            record = records.get(self.records[place])
            position = self._outputs[place].position
            own = files.get(self.records[place], ())
            file = next((file for file in own if file.index == position), None)
            if record is not None and (file is not None or not own):
                artifact = _words(record) if file is None else cell_artifact(file)
                found[place] = _look(record, position, artifact)
        return found

    def thumbnails(self, places: Sequence[int]) -> dict[int, tuple[str, bytes]]:
        """Return (digest, WebP) of those of some places that have a small picture."""
        keys = {place: (self._outputs[place].record, self._outputs[place].position) for place in places}
        found = self._session.history.thumbnails_of(list(keys.values()))
        return {place: found[key] for place, key in keys.items() if key in found}

    def rate(self, places: Sequence[int], rating: int | None) -> None:
        """Rate the calls of some places, or take the rating back."""
        for record in self._records_of(places):
            self._session.rate(record, rating)

    def tag(self, places: Sequence[int], tag: str, *, is_on: bool) -> None:
        """Put a tag on the calls of some places, or take it off."""
        for record in self._records_of(places):
            (self._session.tag if is_on else self._session.untag)(record, tag)

    def note(self, place: int, text: str) -> None:
        """Write a note on the call of a place; an empty one takes it off."""
        self._session.note(self.records[place], text.strip() or None)

    def records_in(self, calls: Any) -> Sequence[int]:
        """Return the record numbers that something means: numbers, or a frame that has them.

        Raises
        ------
        HistoryError
            Where a frame has none.
        """
        if hasattr(calls, "columns"):
            return [number for number in record_ids(calls) if number is not None]
        return [int(number) for number in ([calls] if isinstance(calls, int) else calls)]

    def code(self, place: int, what: str, endpoint: str = "") -> Written:
        """Return a cell: ``again``, ``vary`` (a sweep over its seed), ``elsewhere``, ``input``; or the file's ``path``.

        Parameters
        ----------
        endpoint
            For ``elsewhere`` and ``input``.

        Raises
        ------
        HistoryError
            Where there is no such way, or the record is gone.
        EndpointError, FalError
            Where the endpoint cannot be used for it.
        """
        record = self._session.history.get(self.records[place])
        output = self._outputs[place]
        match what:
            case "again":
                return self._code.again(record)
            case "vary":
                return self._code.vary(record)
            case "elsewhere":
                return self._code.elsewhere(record, endpoint)
            case "input":
                return self._code.input(record, output.position, output.kind, endpoint)
            case "path":
                files = self._session.history.artifacts(record.id)
                return self._code.path(next((file for file in files if file.index == output.position), None))
            case _:
                raise HistoryError(
                    "A tile gives a cell to call again, to vary, elsewhere, with it as input, or its file."
                )

    def offers(self, place: int, what: str) -> list[str]:
        """Return endpoints that an output (``input``), or its arguments (``elsewhere``), can be given to."""
        record = self._session.history.get(self.records[place])
        return self._code.offered(record, what, self._outputs[place].kind)

    def _records_of(self, places: Sequence[int]) -> list[int]:
        return list(dict.fromkeys(self.records[place] for place in places))

    def _selection(self) -> Selection:
        return Selection(where={} if self._is_whole else {"record": (">=", min(self._places, default=0))})

    def _arguments(self) -> list[tuple[str, Any, int]]:
        """Return the plain arguments of these records, each with how many calls have it."""
        counts: Counter[tuple[str, Any]] = Counter()
        for record in self._session.history.get_many(self._places).values():
            if isinstance(record.arguments, dict):
                plain = {
                    name: value for name, value in record.arguments.items() if isinstance(value, (str, int, float))
                }
                counts.update((name, value) for name, value in plain.items() if len(str(value)) <= _FACET_CHARS)
        return [(name, value, count) for (name, value), count in counts.items()]


class _NothingKnown:
    """Satisfies `Endpoints` where nobody has looked what this machine knows."""

    def endpoints(self) -> list[str]:
        """Return none."""
        return []

    def schema(self, endpoint: str) -> None:
        """Return None."""


def _ratio(output: Output) -> float:
    if not output.width or not output.height:
        return 1.6 if output.kind in {"audio", "text"} else 1.0
    return min(max(output.width / output.height, _TALLEST), _WIDEST)


def _order(value: Any) -> tuple[int, Any]:
    """Return what sorts numbers before texts: SQLite keeps both in one column."""
    return (0, value) if isinstance(value, (int, float)) else (1, str(value).casefold())


def _facet(name: str, counts: Mapping[Any, int], least: int = 2) -> Facet:
    """Return a column's values, or none where it tells nothing apart."""
    known = [
        (value, count)
        for value, count in counts.items()
        if value is not None and (not isinstance(value, str) or is_plain(value))
    ]
    known.sort(key=lambda each: (-each[1], str(each[0])))
    return Facet(name, tuple(known[:_FACET_VALUES]) if len(known) >= least else ())


def _words(record: Record) -> CellArtifact:
    """Return what is shown of a result that is nothing but text."""
    return CellArtifact(kind="text", content_type="text/plain", text=result_text(record.result) or "")


def _look(record: Record, position: int, artifact: CellArtifact) -> OutputLook:
    return OutputLook(
        record=record.id,
        position=position,
        endpoint=record.endpoint,
        artifact=artifact,
        created=record.created,
        prompt=record.prompt or "",
        seed=record.seed,
        cost=record.cost,
        total_s=record.total_s,
        rating=record.rating,
        tags=tuple(tag for tag in record.tags or () if tag != HIDDEN),
        note=record.note or "",
        is_hidden=HIDDEN in (record.tags or ()),
        arguments=record.arguments if isinstance(record.arguments, dict) else {},
        request_id=record.request_id,
    )
