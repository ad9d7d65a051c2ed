"""Searching the catalogue: which models a question means, in what order, and what they can be told apart by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fal_nb.catalogue.model import Model

__all__ = ["ANY", "FACETS", "SORTS", "ModelQuery", "facets_of", "find_models", "values_of"]

SORTS = ("best", "newest", "updated", "name", "endpoint", "category")
"""``best`` is how well the words fit, without words the catalogue's own order."""
FACETS = ("category", "status", "tags", "kind", "license")
"""What models can be told apart by."""
ANY = "any"
"""The status that lets every model pass."""
_WEIGHTS: tuple[tuple[int, Callable[[Model], str]], ...] = (
    (8, lambda model: model.endpoint),
    (6, lambda model: model.name),
    (4, lambda model: model.category),
    (3, lambda model: " ".join(model.tags)),
    (2, lambda model: model.group),
    (1, lambda model: model.description),
)
_MOST_VALUES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuery:
    """Which models are wanted, and in what order.

    Attributes
    ----------
    words
        Texts that must all occur: in the endpoint, name, category, tags, group or description.
    filters
        Facet → values of which one must be it; those of ``tags`` must all be there.
    status
        ``active`` also lets those pass that say nothing; `ANY` lets all.
    """

    words: tuple[str, ...] = ()
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    status: str = "active"
    sort: str = "best"
    is_descending: bool = False


def find_models(models: Sequence[Model], query: ModelQuery) -> list[int]:
    """Return the places of the models that pass, in order."""
    words = [word.lower() for word in query.words]
    scored = []
    for place, model in enumerate(models):
        score = _score(model, words)
        if score is not None and _passes(model, query):
            scored.append((score, place))
    order = [place for _, place in sorted(scored, key=lambda pair: (-pair[0], pair[1]))]
    key = _SORT_KEYS.get(query.sort)
    if key is not None:
        known = [place for place in order if key(models[place]) not in (None, "")]
        known.sort(key=lambda place: key(models[place]), reverse=query.sort in _LARGEST_FIRST)
        # What is not known comes last, whichever way the others are turned.
        rest = [place for place in order if key(models[place]) in (None, "")]
        return (known[::-1] if query.is_descending else known) + rest
    return order[::-1] if query.is_descending else order


def facets_of(models: Iterable[Model]) -> dict[str, list[tuple[str, int]]]:
    """Return facet → its values with how many models have each, most frequent first."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for model in models:
        for name, counter in counts.items():
            counter.update(filter(None, values_of(model, name)))
    return {
        name: sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_VALUES]
        for name, counter in counts.items()
        if counter
    }


def values_of(model: Model, name: str) -> tuple[str, ...]:
    """Return what a model has of a facet."""
    value = getattr(model, name)
    return value if isinstance(value, tuple) else (value,)


def _passes(model: Model, query: ModelQuery) -> bool:
    if query.status != ANY and model.status not in {query.status, "" if query.status == "active" else query.status}:
        return False
    for name, wanted in query.filters.items():
        if name not in FACETS or not wanted:
            continue
        has = values_of(model, name)
        if not (all if name == "tags" else any)(value in has for value in wanted):
            return False
    return True


def _score(model: Model, words: Sequence[str]) -> int | None:
    """Return how well the words fit, or None where one of them does not occur."""
    if not words:
        return 0
    texts = [(weight, text(model).lower()) for weight, text in _WEIGHTS]
    total = 0
    for word in words:
        best = max((weight for weight, text in texts if word in text), default=0)
        if not best:
            return None
        total += best
        # A word of its own says more than a part of another.
        total += sum(weight for weight, text in texts if word in _split(text)) // 4
    return total


def _split(text: str) -> set[str]:
    return set("".join(letter if letter.isalnum() else " " for letter in text).split())


_SORT_KEYS: dict[str, Callable[[Model], Any]] = {
    "newest": lambda model: model.created,
    "updated": lambda model: model.updated,
    "name": lambda model: model.name.lower(),
    "endpoint": lambda model: model.endpoint,
    "category": lambda model: (model.category, model.name.lower()) if model.category else "",
}
_LARGEST_FIRST = frozenset({"newest", "updated"})
