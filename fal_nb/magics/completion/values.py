"""What is offered as the value of an input: its choices, true and false, files, the notebook's variables."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fal_nb.errors import GrammarError
from fal_nb.magics.completion.offers import NOTHING, Found, Offer, fitting
from fal_nb.magics.format import format_value
from fal_nb.plain import is_plain, one_line
from fal_nb.protocol.status import JSON
from fal_nb.schemas.types import Choice, Field, Flag, InputType, ListOf, Missing, ObjectOf, options_of
from fal_nb.schemas.words import describe_type, show_limits, show_value

if TYPE_CHECKING:
    from fal_nb.schemas.endpoint_schema import EndpointSchema

__all__ = ["Values", "field_at", "has_choices", "kind_of", "values_of"]

_KIND_CHARS = 60
_ENTRIES = 2_000
_MOST_FILES = 200
_NEEDS_QUOTES = re.compile(r"[\s\"'“”#;{}]")
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_.:/+-]*|[0-9]+(?:[:x][0-9]+)")
"""Texts that mean themselves without quotes, whatever the input is."""
_LITERALS = frozenset({"true", "false", "null"})
_OPEN_BRACE = re.compile(r"(?<!\{)(?:\{\{)*\{([^\W\d]\w*)?\Z")
_NOT_OFFERED = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython"})


class Values:
    """Offers for one place.

    Parameters
    ----------
    variables
        The notebook's.
    following
        The character after the cursor: a brace that a front end has closed is not closed again.
    """

    def __init__(self, variables: Mapping[str, Any], following: str = "") -> None:
        self._variables = variables
        self._following = following

    def of(self, field: Field | None, written: str, *, is_json: bool = False) -> Found:
        """Return what is offered after ``name=``, where `written` stands already."""
        if written[:1] == "@" and not is_json:
            return files(written)
        if written[:1] == "{" and not is_json:
            return self.in_text(written)
        quote = written[:1] if written[:1] in {'"', "'"} else ""
        if quote and "{" in written:
            return self.in_text(written)
        if field is None:
            return NOTHING
        offers = list(_written(field, quote, is_json=is_json))
        if field.takes_file and not is_json and not written:
            offers.append(Offer("@", "a local file"))
        return fitting(written, offers)

    def in_text(self, written: str) -> Found:
        """Return the variables that an open brace at the end of a text can take."""
        found = _OPEN_BRACE.search(written)
        if found is None:
            return NOTHING
        close = "" if self._following == "}" else "}"
        names = (name for name in sorted(self._variables) if _is_offered(name, self._variables[name]))
        return fitting(found[1] or "", (Offer(name + close, type(self._variables[name]).__name__) for name in names))


def kind_of(field: Field) -> str:
    """Return in a few words what an input takes, whether it must be given, and what stands for it if not."""
    words = " ".join(filter(None, (describe_type(field.type), show_limits(field.type))))
    if field.required:
        words = f"required, {words}"
    elif not isinstance(field.default, Missing):
        words = f"= {show_value(field.default, 24)}, {words}"
    return one_line(words, _KIND_CHARS)


def field_at(schema: EndpointSchema | None, dotted: str) -> Field | None:
    """Return an input, or a part of one, by its dotted name."""
    fields: Iterable[Field] = () if schema is None else schema
    found: Field | None = None
    for name in dotted.split("."):
        found = next((field for field in fields if field.name == name), None)
        if found is None:
            return None
        objects = (option for option in options_of(found.type) if isinstance(option, ObjectOf))
        fields = [field for option in objects for field in option.fields]
    return found


def has_choices(field: Field) -> bool:
    """Return whether an input has values that can be offered, apart from true and false."""
    return any(isinstance(option, Choice) for option in options_of(field.type))


def values_of(field: Field) -> list[JSON]:
    """Return the values an input can have, where they can be counted: its choices, true and false, its default."""
    values = [value for option in options_of(field.type) for value in _countable(option)]
    if not isinstance(field.default, (Missing, dict, list)) and field.default not in (None, ""):
        values.append(field.default)
    unique = {(type(value).__name__, value): value for value in values if not isinstance(value, (dict, list))}
    return list(unique.values())


def files(written: str) -> Found:
    """Return the files and folders that continue a path after ``@``; names that no line can hold are left out."""
    quote = written[1:2] if written[1:2] in {'"', "'"} else ""
    path = written[1 + len(quote) :]
    head, slash, name = path.rpartition("/")
    folder = f"{head}{slash}"
    texts = (
        (_path_text(f"{folder}{entry}", quote, is_folder=is_folder), is_folder)
        for entry, is_folder in _entries(folder, name)
    )
    offers = (Offer(text, "folder" if is_folder else "file") for text, is_folder in texts if text is not None)
    return Found(written, tuple(islice(offers, _MOST_FILES)))


def _path_text(path: str, quote: str, *, is_folder: bool) -> str | None:
    """Return ``@`` and a path, in quotes where it needs them; those of a folder stay open."""
    if not is_plain(path) or not set("\t\n").isdisjoint(path):
        return None
    if not quote and _NEEDS_QUOTES.search(path):
        quote = "'" if '"' in path else '"'
    if quote and quote in path:
        return None
    return f"@{quote}{path}{'/' if is_folder else quote}"


def _entries(folder: str, name: str) -> Iterator[tuple[str, bool]]:
    """Yield names in a folder that begin with `name`, then those that hold it, and whether each is a folder."""
    try:
        with os.scandir(Path(folder or ".").expanduser()) as found:
            entries = [(entry.name, entry.is_dir()) for _, entry in zip(range(_ENTRIES), found, strict=False)]
    except (OSError, ValueError, RuntimeError):
        return
    wanted = name.lower()
    seen = sorted(entry for entry in entries if name.startswith(".") or not entry[0].startswith("."))
    yield from (entry for entry in seen if entry[0].lower().startswith(wanted))
    yield from (entry for entry in seen if wanted in entry[0].lower() and not entry[0].lower().startswith(wanted))


def _written(field: Field, quote: str, *, is_json: bool) -> Iterator[Offer]:
    """Yield the values of an input as the line holds them."""
    for value in values_of(field):
        if is_json:
            text = json.dumps(value)
        elif not isinstance(value, str):
            text = show_value(value)
        elif not quote and _SAFE.fullmatch(value) and value not in _LITERALS:
            text = value
        else:
            try:
                text = format_value(value)
            except GrammarError:
                continue
            if quote and text[0] != quote:
                continue
        yield Offer(text, "default" if value == field.default else "value")


def _countable(option: InputType) -> tuple[JSON, ...]:
    match option:
        case Choice(values):
            return values
        case Flag():
            return (True, False)
        case ListOf(item):
            return _countable(item)
        case _:
            return ()


def _is_offered(name: str, value: object) -> bool:
    """Tell whether a variable is the person's own, and something an endpoint could take."""
    if name.startswith("_") or name in _NOT_OFFERED:
        return False
    return not isinstance(value, (ModuleType, type)) and not callable(value)
