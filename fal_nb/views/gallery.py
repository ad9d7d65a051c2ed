"""The gallery: thousands of outputs, of which the page holds the order and the shapes, and asks for what it shows."""

from __future__ import annotations

import asyncio
import logging
import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from fal_nb.errors import FalError
from fal_nb.plain import is_plain, one_line
from fal_nb.views.answers import Answers
from fal_nb.views.fitting import trim
from fal_nb.views.gallery_look import HIDDEN, SORTS, Facet, GalleryOutputs, Query
from fal_nb.views.gallery_rows import cut, facet_rows, item_row
from fal_nb.views.gallery_twin import GalleryTwin, empty_words, gallery_text
from fal_nb.views.media import post_thumbnails, send_original
from fal_nb.views.twin import BlobPath
from fal_nb.views.view import View

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd

__all__ = ["GalleryView"]

_NOTE_CHARS = 2_000
_DIGEST_CHARS = 16
_ENDPOINT_CHARS = 200
_ASKED = 200
_DETAILS = 8
_MARKED_S = 0.05
_MARKED_AT_ONCE = 5_000
_ORDER_PLACES = 60_000
_MOST_WORDS = 20
_MOST_FILTERS = 30
_CODES = ("again", "vary", "elsewhere", "input", "path")
_OFFERS = ("elsewhere", "input")
_MOST_OFFERS = 100
_log = logging.getLogger("fal_nb")


class GalleryView(View):
    """Outputs as they are seen in a cell; what is read from the disk is read in worker threads.

    Parameters
    ----------
    blob_path
        Where the bytes of a digest are, for originals shown on demand.
    frame_of
        Returns the DataFrame of some records, for `selected`.
    say
        Shows a line: what an export leaves out.
    """

    name: ClassVar[str] = "gallery"
    sends_deltas: ClassVar[bool] = True

    def __init__(
        self,
        outputs: GalleryOutputs,
        blob_path: BlobPath,
        frame_of: Callable[[Sequence[int]], pd.DataFrame],
        later: Callable[..., None],
        query: Query | None = None,
        say: Callable[[str], None] = _log.warning,
    ) -> None:
        super().__init__()
        self._say = say
        self._outputs = outputs
        self._blob_path = blob_path
        self._frame_of = frame_of
        self._later = later
        self._query = query or Query()
        self._order = outputs.find(self._query)
        self._selected: dict[int, None] = {}
        self._facets: list[Facet] | None = None
        self._revision = 0
        self._error = ""
        self._twin = GalleryTwin(outputs)
        self._answers = Answers("gallery")
        self._marked: set[int] = set()

    def __len__(self) -> int:
        """Return how many outputs pass the filters in force."""
        return len(self._order)

    def __repr__(self) -> str:
        return f"<Gallery of {cut(self._outputs.name)}: {len(self)} of {len(self._outputs.records)} outputs>"

    @property
    def selected(self) -> pd.DataFrame:
        """The calls whose outputs are selected, as a DataFrame; set it to such a frame, or to record numbers."""
        return self._frame_of(list(dict.fromkeys(self._outputs.records[place] for place in tuple(self._selected))))

    @selected.setter
    def selected(self, calls: Any) -> None:
        wanted = set(self._outputs.records_in(calls))
        self._selected = {place: None for place, record in enumerate(self._outputs.records) if record in wanted}
        self._later(self._tell_selection)

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        max_mb: float = 64.0,
        table: pd.DataFrame | None = None,
        on_progress: Callable[[int, int, str], None] | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> list[Path]:
        """Write what the gallery shows now and return the files; blocks, and an interrupt leaves nothing half written.

        What its search and filters leave out is not written, and what is hidden is not, unless it is shown.

        Parameters
        ----------
        path
            ``.html``: the gallery in one file that needs neither kernel nor network: lightbox, comparing, search,
            filters, order, arguments, the table. ``.csv``, ``.json``, ``.jsonl`` or ``.parquet``: a row for each call.
        overwrite
            Whether a file that is there already may be replaced.
        max_mb
            Most megabytes of a page. Texts, arguments and the table are always in it; then come small pictures, then
            originals, in the gallery's order, while they fit.
        table
            The frame whose rows become the page's table, for one that has columns of your own; it needs a column or
            an index ``record``. Without it the table is that of the calls.
        on_progress
            Called with done, total and what is counted, at most four times a second, on this thread.
        on_note
            Called with a line before a page is written where something is left out; by default it is shown.

        Raises
        ------
        FileError
            Where a file is there already or cannot be written, or the ending is none of these.
        """
        from fal_nb.exports.of_gallery import GallerySource, export_gallery  # noqa: PLC0415 - with the first export

        source = GallerySource(
            outputs=self._outputs,
            order=tuple(self._order),
            query=self._query,
            frame_of=self._frame_of,
            blob_path=self._blob_path,
            table=table,
        )
        return export_gallery(
            source,
            path,
            overwrite=overwrite,
            max_mb=max_mb,
            on_progress=on_progress,
            on_note=on_note or self._say,
        )

    def marked(self, record_id: int, _columns: Mapping[str, Any]) -> None:
        """Take notice that something was written on a record, in another view or by Python; on the loop's thread."""
        if self.outlet is None:
            return
        if not self._marked:
            asyncio.get_running_loop().call_later(_MARKED_S, self._send_marked)
        self._marked.add(record_id)

    def _send_marked(self) -> None:
        marked, self._marked = self._marked, set()
        places = [place for place, record in enumerate(self._outputs.records) if record in marked]
        for at in range(0, len(places), _ASKED):
            self._answers.start(self._send_items(places[at : at + _ASKED]))
        if places and self._facets is not None:
            # A rating or a tag that was just given can be filtered by, too.
            self._answers.start(self._find_facets())

    # -- renderings --------------------------------------------------------------------------------------

    @property
    def is_settled(self) -> bool:
        """True: nothing of it changes by itself."""
        return True

    def state(self) -> dict[str, Any]:
        """Return what the page needs beside the order, which travels as bytes."""
        query = self._query
        return {
            "view": self.id,
            "name": cut(self._outputs.name),
            "backend": self._outputs.backend,
            "count": len(self._outputs.records),
            "matching": len(self._order),
            "selected": len(self._selected),
            "words": cut(" ".join(query.words), 300),
            "filters": {cut(name): list(values) for name, values in query.filters.items()},
            "sort": query.sort,
            "sorts": list(SORTS),
            "is_descending": query.is_descending,
            "with_hidden": query.with_hidden,
            "facets": facet_rows(self._facets or ()),
            "empty": "" if self._outputs.records else empty_words(self._outputs),
            "error": cut(self._error, 300),
            "revision": self._revision,
        }

    def twin(self) -> str:
        """Return the first of them as static HTML of at most 200 kB."""
        return self._twin.html(self._order)

    def text(self) -> str:
        """Return the first of them as an aligned table."""
        return gallery_text(self._outputs, self._order)

    # -- what the page says --------------------------------------------------------------------------------

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in a question or a mark; anything else is ignored."""
        match content.get("kind"):
            case "order":
                self._post_order()
                if self._facets is None:
                    self._answers.start(self._find_facets())
            case "query":
                if (query := read_query(content)) is not None:
                    self._answers.start(self._ask(query))
            case "items":
                self._answers.start(self._send_items(self._places(content.get("cells"), _ASKED)))
            case "thumbnails":
                self._answers.start(self._send_thumbnails(self._places(content.get("cells"), _ASKED)))
            case "details":
                self._answers.start(self._send_details(self._places(content.get("cells"), _DETAILS)))
            case "media":
                self._answers.start(self._send_original(content))
            case _:
                self._receive_mark(content)

    def _receive_mark(self, content: Mapping[str, Any]) -> None:
        match content.get("kind"):
            case "code":
                self._answers.start(self._send_code(content))
            case "offers":
                self._answers.start(self._send_offers(content))
            case "select":
                self._select(content)
            case "rate" | "tag" | "note":
                self._answers.start(self._mark(content))
            case _:
                pass

    def _places(self, places: object, most: int) -> list[int]:
        if not isinstance(places, list):
            return []
        count = len(self._outputs.records)
        return [each for each in places[:most] if type(each) is int and 0 <= each < count]

    def _select(self, content: Mapping[str, Any]) -> None:
        if content.get("all") is True:
            self._selected = dict.fromkeys(self._order)
        elif content.get("none") is True:
            self._selected = {}
        else:
            places = self._places(content.get("cells"), _MARKED_AT_ONCE)
            for place in places:
                if content.get("on") is True:
                    self._selected[place] = None
                else:
                    self._selected.pop(place, None)
        self._tell_selection()

    def _tell_selection(self) -> None:
        data = array("I", self._selected)
        self._post({"kind": "selection", "count": len(data)}, _little(data))
        self._changed()

    async def _mark(self, content: Mapping[str, Any]) -> None:
        """Write a rating, a tag or a note, then send the tiles anew: what stands in the history is what is shown."""
        places = self._places(content.get("cells"), _MARKED_AT_ONCE)
        work = _marking(self._outputs, places, content)
        if not places or work is None:
            return
        try:
            await asyncio.to_thread(work)
            self._error = ""
        except FalError as error:
            self._error = str(error)
        self._changed()
        await self._send_items(places[:_ASKED])
        if content.get("tag") == HIDDEN:
            await self._ask(self._query)

    # -- answers -------------------------------------------------------------------------------------------

    async def _ask(self, query: Query) -> None:
        try:
            order = await asyncio.to_thread(self._outputs.find, query)
        except FalError as error:
            self._error = str(error)
        else:
            self._query, self._order, self._error = query, order, ""
            self._revision += 1
            self._post_order()
        self._changed(settled=True)

    async def _find_facets(self) -> None:
        self._facets = self._facets or []
        try:
            self._facets = await asyncio.to_thread(self._outputs.facets)
        except FalError as error:
            self._error = str(error)
        self._changed()

    def _post_order(self) -> None:
        """Send the places in order with their shapes: per output a place (uint32) and width over height (uint16, ‰)."""
        ratios = self._outputs.ratios
        parts = range(0, max(1, len(self._order)), _ORDER_PLACES)
        for part, at in enumerate(parts):
            places = self._order[at : at + _ORDER_PLACES]
            data = _little(array("I", places)) + _little(array("H", (round(ratios[place] * 1000) for place in places)))
            about = {
                "kind": "order",
                "revision": self._revision,
                "count": len(places),
                "part": part,
                "parts": len(parts),
            }
            self._post(about, data)

    async def _send_items(self, places: Sequence[int]) -> None:
        looks = await asyncio.to_thread(self._outputs.looks, places)
        rows = [[place, *item_row(looks[place])] if place in looks else [place] for place in places]
        self._post({"kind": "items", "items": rows})

    async def _send_thumbnails(self, places: Sequence[int]) -> None:
        """Answer with a few messages, each with up to 50 pictures one behind the other."""
        found = await asyncio.to_thread(self._outputs.thumbnails, places)
        pictures = ((place, *found.get(place, ("", b""))) for place in places)
        post_thumbnails(((place, digest[:_DIGEST_CHARS], data) for place, digest, data in pictures), self._post)

    async def _send_original(self, content: Mapping[str, Any]) -> None:
        for place in self._places([content.get("index")], 1):
            looks = await asyncio.to_thread(self._outputs.looks, [place])
            if content.get("which") != "original" or place not in looks:
                continue
            artifact = looks[place].artifact
            about = {
                "kind": "media",
                "which": "original",
                "index": place,
                "content_type": cut(artifact.content_type, 60),
            }
            if artifact.digest is None or artifact.error is not None:
                # A picture that is too large to be looked into here would be unpacked by the browser.
                self._post({**about, "kind": "media-error", "error": cut(artifact.error or "it was not stored")})
            else:
                await send_original(self._blob_path(artifact.digest), about, self._post)

    async def _send_details(self, places: Sequence[int]) -> None:
        for place, look in (await asyncio.to_thread(self._outputs.looks, places)).items():
            digest = look.artifact.digest
            details = {
                "cell": place,
                "arguments": trim(look.arguments),
                "reason": cut(look.artifact.error, 2000),
                "request_id": cut(look.request_id) or None,
                "text": cut(look.artifact.text, 2000),
                "note": cut(look.note, _NOTE_CHARS),
                "path": "" if digest is None else one_line(str(self._blob_path(digest))),
            }
            self._post({"kind": "details", **details})

    async def _send_code(self, content: Mapping[str, Any]) -> None:
        what, endpoint = content.get("what"), content.get("endpoint", "")
        for place in self._places([content.get("cell")], 1):
            if what in _CODES and isinstance(endpoint, str):
                try:
                    written = await asyncio.to_thread(self._outputs.code, place, str(what), endpoint[:_ENDPOINT_CHARS])
                    self._error = ""
                except FalError as error:
                    self._error = str(error)
                else:
                    about = {"kind": "code", "cell": place, "what": what}
                    self._post({**about, "text": written.text, "notes": [cut(note, 300) for note in written.notes]})
                self._changed()

    async def _send_offers(self, content: Mapping[str, Any]) -> None:
        what = content.get("what")
        for place in self._places([content.get("cell")], 1):
            if what in _OFFERS:
                offered = await asyncio.to_thread(self._outputs.offers, place, str(what))
                names = [name for name in offered if is_plain(name)][:_MOST_OFFERS]
                self._post({"kind": "offers", "cell": place, "what": what, "endpoints": names})


def read_query(content: Mapping[str, Any]) -> Query | None:
    """Return what the page asks for, or None where it is no question at all."""
    words, filters, sort = content.get("words", ""), content.get("filters", {}), content.get("sort", "created")
    if not (isinstance(words, str) and isinstance(filters, dict) and sort in SORTS and len(filters) <= _MOST_FILTERS):
        return None
    sound: dict[str, tuple[Any, ...]] = {}
    for name, values in filters.items():
        if not isinstance(values, list) or not all(isinstance(value, (str, int, float, bool)) for value in values):
            return None
        # What is no plain text is not offered as a filter either: shown, it would not be what it is.
        if not all(is_plain(text) for text in (name, *values) if isinstance(text, str)):
            return None
        if values:
            sound[name] = tuple(values[:_ASKED])
    return Query(
        words=tuple(words[:1000].split()[:_MOST_WORDS]),
        filters=sound,
        sort=sort,
        is_descending=content.get("is_descending") is not False,
        with_hidden=content.get("with_hidden") is True,
    )


def _marking(outputs: GalleryOutputs, places: Sequence[int], content: Mapping[str, Any]) -> Callable[[], None] | None:
    """Return the work that writes a mark, or None where what the page says is none."""
    rating, tag, text = content.get("rating"), content.get("tag"), content.get("text")
    match content.get("kind"):
        case "rate" if rating is None or (type(rating) is int and 0 <= rating <= 5):
            return lambda: outputs.rate(places, rating)
        case "tag" if isinstance(tag, str):
            return lambda: outputs.tag(places, tag, is_on=content.get("on") is not False)
        case "note" if isinstance(text, str):
            return lambda: outputs.note(places[0], text[:_NOTE_CHARS])
        case _:
            return None


def _little(values: array[int]) -> bytes:
    """Return numbers as bytes in the order that pages read them."""
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()
