"""Templates: ``{name}``, ``{name.attr}``, ``{name[key]}`` in texts, once, from the notebook's variables.

Invariant: nothing is evaluated. A reference is a name, then attributes and keys; no call, no operator, nothing with a
leading underscore, and never a module, the environment or an object of ours that knows the key.
"""

from __future__ import annotations

import inspect
import os
import re
import types
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fal_nb.templates.mistakes import Edit, Mistake, nearest, shorten

__all__ = [
    "Attribute",
    "Key",
    "Reference",
    "compile_template",
    "expand",
    "look_up",
    "parse_reference",
    "reference_mistake",
    "repair_braces",
]

_KEY = r"""\[(?:-?[0-9]+|'[^']*'|"[^"]*"|[^\[\]{}'"]+)\]"""
_PATH = rf"[^\W\d]\w*(?:\.[^\W\d]\w*|{_KEY})*+"
_REFERENCE = re.compile(_PATH)
_STEP = re.compile(rf"\.([^\W\d]\w*)|({_KEY})")
_PART = re.compile(rf"[^{{}}]++|\{{\{{|\}}\}}|\{{({_PATH})\}}|[{{}}]")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_ADDRESS = re.compile(r"<.* at 0x[0-9A-Fa-f]+.*>\Z", re.DOTALL)
_BRACES = "for a brace itself write {{ or }}"
_KEY_NAMES = ("FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET")
_MODULES_WITH_KEYS = (
    "fal_nb.settings",
    "fal_nb.client",
    "fal_nb.runtime",
    "fal_nb.magics",
    "fal_nb.engine.session",
    "fal_nb.workbench",
)
_CLASSES_WITH_KEYS = ("Settings", "Session", "AsyncClient", "SyncClient")
_SUGGESTED_FROM = 5000


@dataclass(frozen=True, slots=True)
class Attribute:
    """``.name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """``[key]``: an integer where it looks like one and is not quoted."""

    key: int | str


@dataclass(frozen=True, slots=True)
class Reference:
    """A notebook variable, or what lies inside it."""

    name: str
    steps: tuple[Attribute | Key, ...] = ()

    def __str__(self) -> str:
        shown = [f".{step.name}" if isinstance(step, Attribute) else f"[{step.key!r}]" for step in self.steps]
        return self.name + "".join(shown)


def parse_reference(text: str) -> Reference | None:
    """Return the reference that `text`, without braces, is, or None where it is more or less than one."""
    found = _REFERENCE.fullmatch(text)
    return _reference(text) if found and not _private(text) else None


def compile_template(text: str) -> list[str | tuple[int, Reference]]:
    """Return the literal pieces and the references, each with its place in `text`.

    Raises
    ------
    Mistake
        At the first brace that is neither doubled nor a reference's.
    """
    pieces: list[str | tuple[int, Reference]] = []
    for part in _PART.finditer(text):
        if part[1] is not None:
            if _private(part[1]):
                raise reference_mistake(text, part.start())
            pieces.append((part.start(), _reference(part[1])))
        elif part[0] in {"{{", "}}"}:
            pieces.append(part[0][0])
        elif part[0] in {"{", "}"}:
            raise reference_mistake(text, part.start())
        else:
            pieces.append(part[0])
    return pieces


def expand(text: str, namespace: Mapping[str, Any]) -> str:
    """Return `text` with its references replaced, once, by what ``str()`` says of their values.

    Raises
    ------
    Mistake
        Where a brace is wrong, a variable does not exist or may not be used; columns count within `text`.
    """
    if "{" not in text and "}" not in text:
        return text
    written = []
    for piece in compile_template(text):
        if isinstance(piece, str):
            written.append(piece)
        else:
            at, reference = piece
            written.append(_text_of(look_up(reference, namespace, at), reference, at))
    return "".join(written)


def look_up(reference: Reference, namespace: Mapping[str, Any], column: int = 0) -> Any:
    """Return the object a reference names.

    Raises
    ------
    Mistake
        At `column`, where it does not exist or may not be used.
    """
    name = reference.name if reference.name in namespace else unicodedata.normalize("NFKC", reference.name)
    if name not in namespace:
        raise _unknown(reference.name, namespace, column)
    value = namespace[name]
    _refuse(value, reference.name, column)
    for number, step in enumerate(reference.steps, 1):
        path = str(Reference(reference.name, reference.steps[:number]))
        value = _try(_take, value, step, path=path, column=column)
        _refuse(value, path, column)
    return value


def reference_mistake(text: str, at: int) -> Mistake:
    """Return what is wrong with the brace at `at`, which is neither doubled nor a reference's."""
    if text[at] == "}":
        return Mistake(f"this }} closes nothing: {_BRACES}", at)
    end = text.find("}", at)
    if end < 0:
        return Mistake(f"the {{ opened here is never closed: {_BRACES}", at)
    inside = text[at + 1 : end]
    if not inside.strip():
        return Mistake(f"there is no name between the braces: {_BRACES}", at)
    if _REFERENCE.fullmatch(inside) and _private(inside):
        what = f"a name in {{{shorten(inside)}}} begins with an underscore: put its value into a variable that does not"
        return Mistake(what, at)
    return Mistake(
        f"{{{shorten(inside)}}} is not {{name}}, {{name.attr}} or {{name[key]}}: anything more belongs in a Python "
        f"variable; {_BRACES}",
        at,
    )


def repair_braces(text: str) -> str:
    """Return `text` with every brace doubled that is neither doubled nor a reference's."""
    return _PART.sub(lambda part: part[0] * 2 if part[0] in {"{", "}"} else part[0], text)


def _private(path: str) -> bool:
    """Tell whether the name or an attribute begins with an underscore."""
    if path.startswith("_"):
        return True
    return any(step[1] is not None and step[1].startswith("_") for step in _STEP.finditer(path))


def _reference(path: str) -> Reference:
    first = _STEP.search(path)
    end = first.start() if first else len(path)
    steps = (
        Attribute(step[1]) if step[1] is not None else Key(_key(step[2][1:-1])) for step in _STEP.finditer(path, end)
    )
    return Reference(path[:end], tuple(steps))


def _key(written: str) -> int | str:
    if written[0] in "'\"":
        return written[1:-1]
    return int(written) if _INTEGER.fullmatch(written) else written


def _take(value: Any, step: Attribute | Key) -> Any:
    return getattr(value, step.name) if isinstance(step, Attribute) else value[step.key]


def _try(read: Callable[..., Any], *args: Any, path: str, column: int) -> Any:
    """Return ``read(*args)``; whatever the user's objects raise becomes a mistake at `column`."""
    try:
        return read(*args)
    except Exception as error:  # the code of the user's own objects runs here
        reason = "no such key" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        raise Mistake(f"{{{shorten(path)}}} cannot be read ({shorten(reason, 100)})", column) from error


def _unknown(name: str, namespace: Mapping[str, Any], column: int) -> Mistake:
    known = [
        other
        for other, value in list(namespace.items())[-_SUGGESTED_FROM:]
        if not other.startswith("_") and not isinstance(value, types.ModuleType)
    ]
    like = nearest(name, known)
    hint = f"did you mean {{{like}}}?" if like else f"set it before, or {_BRACES}"
    edits = [Edit(column + 1, column + 1 + len(name), like)] if like else []
    return Mistake(f"there is no variable {shorten(name)} in the notebook; {hint}", column, *edits)


def _refuse(value: Any, path: str, column: int) -> None:
    """Refuse what could carry a key or the machine's environment into an argument."""
    what = _try(_forbidden, value, path=path, column=column)
    if what:
        raise Mistake(f"{{{shorten(path)}}} is {what}, which never goes into an argument", column)


def _forbidden(value: Any) -> str | None:
    if isinstance(value, types.ModuleType):
        return "a module"
    if isinstance(value, type(os.environ)):
        return "the environment"
    if isinstance(value, Mapping) and any(name in value for name in _KEY_NAMES):
        return "a mapping with a key of fal in it"
    for cls in type(value).__mro__:
        ours = cls.__module__.startswith("fal_nb.")
        if ours and (cls.__module__.startswith(_MODULES_WITH_KEYS) or cls.__name__ in _CLASSES_WITH_KEYS):
            return f"a {cls.__name__} of fal_nb"
    return None


def _text_of(value: Any, reference: Reference, column: int) -> str:
    """Return ``str(value)``, refusing objects that have no text of their own."""
    if isinstance(value, str):
        return str(value)
    path = str(reference)
    if isinstance(value, (bytes, bytearray, memoryview)) or inspect.isroutine(value) or inspect.isclass(value):
        raise Mistake(f"{{{shorten(path)}}} is a {type(value).__name__}, not a text", column)
    text = str(_try(str, value, path=path, column=column))
    if _ADDRESS.match(text):
        kind = type(value).__name__
        hint = f"to send the object itself write NAME={{{shorten(path)}}} without quotes"
        raise Mistake(f"{{{shorten(path)}}} has no text of its own ({kind}); {hint}", column)
    return text
