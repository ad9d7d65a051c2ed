"""The catalogue to look through: the page holds the order, and asks for the cards, pictures and details it shows."""

from __future__ import annotations

import asyncio
import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from fal_nb.catalogue.model import Model
from fal_nb.catalogue.search import ANY, FACETS, SORTS, ModelQuery, facets_of, find_models
from fal_nb.plain import is_plain, one_line, plain_text
from fal_nb.views.answers import Answers
from fal_nb.views.media import post_thumbnails
from fal_nb.views.models_look import CatalogueModels, ModelDetails
from fal_nb.views.models_twin import models_html, models_text
from fal_nb.views.view import View

__all__ = ["ModelsView", "read_query"]

_ASKED = 100
_PICTURES = 50
_MOST_INPUTS = 100
_MOST_VALUES = 40
_CARD_CHARS = 180
_TEXT_CHARS = 600
_MOST_WORDS = 20
_STATUSES = ("active", "deprecated", ANY)
_TWIN_AFTER = 40


class ModelsView(View):
    """Models as they are seen in a cell.

    Parameters
    ----------
    query
        What is looked for at first.
    later
        Calls a function on the loop's thread.
    """

    name: ClassVar[str] = "models"
    sends_deltas: ClassVar[bool] = True

    def __init__(self, models: CatalogueModels, query: ModelQuery, later: Callable[..., None]) -> None:
        super().__init__()
        self._models = models
        self._later = later
        self._query = query
        self._order = find_models(models.models, query)
        self._facets = _facets(models.models, query)
        self._revision = 0
        self._pictures_since_twin = 0
        self._answers = Answers("models view")

    def __len__(self) -> int:
        """Return how many models pass the filters in force."""
        return len(self._order)

    @property
    def found(self) -> list[Model]:
        """The models that pass the filters in force, in order."""
        return [self._models.models[place] for place in self._order]

    @property
    def query(self) -> ModelQuery:
        """What is looked for now; set it to look for something else."""
        return self._query

    @query.setter
    def query(self, query: ModelQuery) -> None:
        self._later(self._ask, query)

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
            "backend": "simulator" if self._models.is_simulated else "",
            "count": len(self._models.models),
            "matching": len(self._order),
            "note": one_line(self._models.note, _TEXT_CHARS),
            "words": one_line(" ".join(query.words), 300),
            "filters": {name: list(values) for name, values in query.filters.items()},
            "status": query.status,
            "sort": query.sort,
            "sorts": list(SORTS),
            "is_descending": query.is_descending,
            "facets": self._facets,
            "revision": self._revision,
        }

    def twin(self) -> str:
        """Return the first of them as static HTML of at most 60 kB."""
        return models_html(
            self.found,
            total=len(self._models.models),
            note=self._models.note,
            is_simulated=self._models.is_simulated,
            picture_of=self._models.known_picture,
        )

    def text(self) -> str:
        """Return the first of them as an aligned table."""
        models = self._models
        return models_text(self.found, total=len(models.models), note=models.note, is_simulated=models.is_simulated)

    # -- what the page says --------------------------------------------------------------------------------

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in a question; anything else is ignored."""
        match content.get("kind"):
            case "order":
                self._post_order()
            case "query":
                if (query := read_query(content)) is not None:
                    self._ask(query)
            case "items":
                places = self._places(content.get("cells"), _ASKED)
                models = self._models.models
                self._post({"kind": "items", "items": [[place, *_card(models[place])] for place in places]})
            case "thumbnails":
                self._answers.start(self._send_pictures(self._places(content.get("cells"), _PICTURES)))
            case "details":
                self._answers.start(self._send_details(self._places([content.get("cell")], 1)))
            case _:
                pass

    def _places(self, places: object, most: int) -> list[int]:
        if not isinstance(places, list):
            return []
        count = len(self._models.models)
        return [each for each in places[:most] if type(each) is int and 0 <= each < count]

    def _ask(self, query: ModelQuery) -> None:
        models = self._models.models
        self._query, self._order = query, find_models(models, query)
        self._facets = _facets(models, query)
        self._revision += 1
        self._post_order()
        self._changed(settled=True)

    def _post_order(self) -> None:
        """Send the places in order, an uint32 each."""
        data = array("I", self._order)
        if sys.byteorder == "big":
            data.byteswap()
        self._post({"kind": "order", "revision": self._revision, "count": len(self._order)}, data.tobytes())

    async def _send_pictures(self, places: Sequence[int]) -> None:
        """Answer with a few messages; a model without a picture has an empty one, so that nobody asks again."""
        models = [self._models.models[place] for place in places]
        found = await asyncio.gather(*(self._models.picture(model) for model in models))
        pictures = zip(places, models, found, strict=True)
        post_thumbnails(((place, model.endpoint, data or b"") for place, model, data in pictures), self._post)
        self._pictures_since_twin += sum(data is not None for data in found)
        if self._pictures_since_twin >= min(_TWIN_AFTER, len(self._order)):
            self._pictures_since_twin = -sys.maxsize  # the first of them are drawn once; others come too late to matter
            self._changed(settled=True)

    async def _send_details(self, places: Sequence[int]) -> None:
        for place in places:
            model = self._models.models[place]
            details = await asyncio.to_thread(self._models.details, model)
            self._post({"kind": "details", "cell": place, **_details(model, details)})


def read_query(content: Mapping[str, Any]) -> ModelQuery | None:
    """Return what the page asks for, or None where it is no question at all."""
    words, filters, sort = content.get("words", ""), content.get("filters", {}), content.get("sort", "best")
    status = content.get("status", "active")
    if not (isinstance(words, str) and isinstance(filters, dict) and sort in SORTS and status in _STATUSES):
        return None
    sound: dict[str, tuple[str, ...]] = {}
    for name, values in filters.items():
        if name not in FACETS or not isinstance(values, list):
            return None
        if not all(isinstance(value, str) and is_plain(value) for value in values):
            return None
        if values:
            sound[name] = tuple(values[:_MOST_VALUES])
    return ModelQuery(
        words=tuple(words[:1000].split()[:_MOST_WORDS]),
        filters=sound,
        status=status,
        sort=sort,
        is_descending=content.get("is_descending") is True,
    )


def _facets(models: Sequence[Model], query: ModelQuery) -> list[list[Any]]:
    """Return what can be chosen, counted as it would be with the other choices in force."""
    shown: list[list[Any]] = []
    for name in FACETS:
        if name == "status":
            continue
        others = {other: values for other, values in query.filters.items() if other != name or name == "tags"}
        passing = find_models(models, replace(query, filters=others, sort="best"))
        counts = dict(facets_of(models[place] for place in passing).get(name, ()))
        # What is chosen stays in sight, also where nothing has it any more.
        counts |= {value: counts.get(value, 0) for value in query.filters.get(name, ())}
        if len(counts) > 1 or query.filters.get(name):
            shown.append([name, [[one_line(value, 60), count] for value, count in list(counts.items())[:_MOST_VALUES]]])
    return shown


def _card(model: Model) -> list[Any]:
    """Return a card as the page reads it (``ModelRow`` in ``js/src/lib/models_messages.ts``)."""
    return [
        model.endpoint,
        model.name,
        model.category,
        model.status,
        list(model.tags[:6]),
        one_line(model.description, _CARD_CHARS),
        bool(model.thumbnail_url),
    ]


def _details(model: Model, details: ModelDetails) -> dict[str, Any]:
    facts = {
        "category": model.category,
        "group": model.group,
        "kind": model.kind,
        "status": model.status,
        "licence": model.license,
        "takes about": "" if model.duration_min is None else f"{model.duration_min:g} min",
        "streams": "yes" if model.streams else "",
        "trained by": ", ".join(model.training_endpoints[:6]),
        "runs": ", ".join(model.inference_endpoints[:6]),
    }
    return {
        "description": plain_text(model.description, _TEXT_CHARS),
        "facts": [[name, one_line(value, 300)] for name, value in facts.items() if value],
        "run_line": one_line(details.run_line, 400),
        "form_line": one_line(details.form_line, 200),
        "price": one_line(details.price, 300),
        "trouble": one_line(details.trouble, 400),
        "inputs": [
            [
                one_line(each.name, 60),
                one_line(each.type, 80),
                one_line(each.default, 80),
                one_line(each.values, 160),
                each.is_required,
                one_line(each.description, 300),
            ]
            for each in details.inputs[:_MOST_INPUTS]
        ],
    }
