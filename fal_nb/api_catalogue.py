"""The module's functions about what there is to call."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fal_nb.catalogue.search import ANY, FACETS, SORTS, ModelQuery, facets_of, values_of
from fal_nb.catalogue.search import find_models as find_places
from fal_nb.errors import ConfigError
from fal_nb.schemas.nearest import nearest
from fal_nb.views.format import age
from fal_nb.workbench import current

if TYPE_CHECKING:
    from fal_nb.catalogue.advice import Advice
    from fal_nb.client.mcp_tools import Question
    from fal_nb.client.model_cache import Listing
    from fal_nb.model_list import ModelList

__all__ = ["docs", "find_models", "listing_note", "models", "query_of", "recommend"]

_STATUSES = ("active", "deprecated", ANY)
_QUESTION_CHARS = 2_000
_ONE = {"tags": "tag"}
_OLD_S = 48 * 3600.0


def models(  # noqa: PLR0913 - so many ways to tell models apart
    words: str | Sequence[str] = "",
    *,
    category: str | Sequence[str] | None = None,
    tags: str | Sequence[str] | None = None,
    kind: str | None = None,
    license: str | None = None,  # noqa: A002 - the catalogue's word
    status: str = "active",
    sort: str = "best",
    limit: int | None = None,
    refresh: bool = False,
) -> ModelList:
    """Return the models of the catalogue in which every word occurs and that pass every filter.

    As the last line of a cell it shows itself, to be looked through; it is a list, ``models.frame`` a DataFrame. The
    catalogue is read whole the first time, kept for a day and searched here: without a network what is kept serves,
    and ``models.note`` says so.

    Parameters
    ----------
    words
        Looked for in endpoint, name, category, tags, group and description.
    category
        ``text-to-image`` or another, or several of which one must be it; ``tags`` must all be there.
    kind
        ``inference`` or ``training``.
    license
        ``commercial``, ``research`` or ``private``.
    status
        ``active``, ``deprecated`` or ``any``.
    sort
        ``best``, ``newest``, ``updated``, ``name``, ``endpoint`` or ``category``.
    limit
        Only the first so many.
    refresh
        Whether the catalogue is read anew.

    Raises
    ------
    ConfigError
        Where a filter cannot be one.
    FalError
        Where the catalogue cannot be had and none is kept.
    """
    from fal_nb.model_list import ModelList  # noqa: PLC0415 - loaded when first asked for

    given = {"category": category, "tags": tags, "kind": kind, "license": license}
    query = query_of(words, {name: value for name, value in given.items() if value is not None}, status, sort)
    if limit is not None and limit < 1:
        raise ConfigError(f"limit is the most models that are wanted, at least 1, not {limit}.")
    bench = current()
    listing = bench.catalogue.listing(is_anew=refresh)
    found = [listing.models[place] for place in find_places(listing.models, query)][:limit]
    if not found:
        _refuse_unknown(listing, query)
    note = listing_note(listing)
    # With a limit the list is what is wanted, no way to look on.
    make_view = None if limit is not None else functools.partial(bench.models_view, listing, note, query)
    is_simulated = bench.session.settings.backend == "simulator"
    return ModelList(found, note=note, is_simulated=is_simulated, make_view=make_view, show=bench.display.show)


def find_models(*endpoints: str, expand: str | Iterable[str] = ()) -> ModelList:
    """Return some models as fal describes them now, in the order asked for; those it does not know are left out.

    Parameters
    ----------
    expand
        ``openapi`` (then ``model.openapi`` and ``model.schema``), ``enterprise``, ``price``, or several of them.

    Raises
    ------
    ConfigError, EndpointError
        Where an expansion or an endpoint is not one.
    FalError
        Where fal cannot be asked.
    """
    from fal_nb.model_list import ModelList  # noqa: PLC0415 - loaded when first asked for

    wanted = [expand] if isinstance(expand, str) else list(expand)
    bench = current()
    found = bench.catalogue.find(endpoints, wanted)
    return ModelList(found, is_simulated=bench.session.settings.backend == "simulator")


def docs(question: str) -> Advice:
    """Return what fal's documentation says about something; blocks, and sends no call.

    It is asked through fal's MCP servers, which wants the package ``mcp``: ``pip install 'fal_nb[mcp]'``.

    Raises
    ------
    ConfigError
        Where that package is missing, or nothing is asked.
    TransferError
        Where no server answers; the message says why, of each.
    """
    return _advice("docs", question)


def recommend(task: str) -> Advice:
    """Return which models fal recommends for a task, in words; ``advice.endpoints`` are theirs. As `docs` otherwise.

    fal gives them in the order it found them, which says nothing of their quality.
    """
    return _advice("recommend", task)


def _advice(question: Question, words: str) -> Advice:
    from fal_nb.catalogue.advice import Advice, read_hints  # noqa: PLC0415 - loaded when first asked
    from fal_nb.client.mcp_tools import McpTools  # noqa: PLC0415

    if not str(words).strip() or len(words) > _QUESTION_CHARS:
        raise ConfigError(f"Ask in words, at most {_QUESTION_CHARS} characters of them.")
    said = current().session.ask(lambda client: McpTools(client.http).ask(question, words.strip()))
    return Advice(words.strip(), read_hints(said.texts, said.links), said.server, said.tool)


def query_of(
    words: str | Sequence[str], filters: dict[str, str | Sequence[str]], status: str = "active", sort: str = "best"
) -> ModelQuery:
    """Return a question to the catalogue.

    Raises
    ------
    ConfigError
        Where a part of it cannot be one.
    """
    if status not in _STATUSES:
        raise ConfigError(f"status is one of {', '.join(_STATUSES)}, not {str(status)[:60]!r}.")
    if sort not in SORTS:
        raise ConfigError(f"sort is one of {', '.join(SORTS)}, not {str(sort)[:60]!r}.")
    wanted: dict[str, tuple[str, ...]] = {}
    for name, value in filters.items():
        values = (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
        if name not in FACETS or not all(isinstance(each, str) for each in values):
            raise ConfigError(f"{name} is a text or a list of texts, not {str(value)[:60]!r}.")
        wanted[name] = values
    each = words.split() if isinstance(words, str) else [part for word in words for part in str(word).split()]
    return ModelQuery(words=tuple(each), filters=wanted, status=status, sort=sort)


def _refuse_unknown(listing: Listing, query: ModelQuery) -> None:
    """Refuse a category or a tag that no model has: it is misspelt, and nothing would ever be found."""
    facets = facets_of(listing.models) if listing.is_whole else {}
    for name, wanted in query.filters.items():
        there_are = [value for value, _ in facets.get(name, ())]
        for value in wanted if there_are else ():
            if not any(value in values_of(model, name) for model in listing.models):
                like = nearest(value, there_are)
                hint = f"did you mean {like}?" if like else f"there are {', '.join(there_are[:12])}"
                raise ConfigError(f"No model has the {_ONE.get(name, name)} {value[:60]!r}; {hint}")


def listing_note(listing: Listing) -> str:
    """Return what there is to say of a catalogue that is not whole and of today."""
    old_s = time.time() - listing.fetched_at
    if listing.trouble and listing.is_whole:
        return f"as of {age(old_s)} ago: fal could not be asked for a newer list ({listing.trouble.rstrip('.')})"
    if listing.trouble:
        return f"not the whole list: {listing.trouble}"
    return f"as of {age(old_s)} ago; a newer list is on its way" if listing.is_whole and old_s > _OLD_S else ""
