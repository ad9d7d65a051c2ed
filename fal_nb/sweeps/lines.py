"""The lines of a plan's text → names with their values as written, each with the line it stands on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fal_nb.errors import GrammarError
from fal_nb.sweeps.inputs import Inputs
from fal_nb.sweeps.mistakes import Mistakes
from fal_nb.sweeps.written import Plain, Written, end_of_brackets, is_closed, read_block, read_flow, read_quoted
from fal_nb.templates.mistakes import shorten

__all__ = ["Entry", "read_entries"]

_NAME = re.compile(
    r"(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|'(?P<single>[^']*)'"
    r"|(?P<replace>replace\s+(?:\"[^\"]+\"|[^\":]+?)(?:\s+in\s+[\w.]+)?)"
    r"|(?P<plain>[^\W\d][\w.\-]*))\s*:(?P<space>\s+|\Z)"
)
_ALMOST = re.compile(r"[^\W\d][\w.\-]*\s*(?P<sign>:=|=|:)\S")
_INDENT = re.compile(r"[ \t]*")
_BLOCK = re.compile(r"[|>][0-9+-]{0,2}\s*(?:#.*)?\Z")
_EMPTY = re.compile(r"\s*(?:#.*)?\Z")
_IN_A_PLAN = "in a plan write NAME: VALUE"
_SAME = {":": "a space belongs after the colon", "=": _IN_A_PLAN, ":=": _IN_A_PLAN}
_MOST_INDENT = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """A name of the plan with its value.

    Attributes
    ----------
    is_quoted
        Whether the name stood in quotes, so that it is an input even where the plan has such a word itself.
    line
        From 1.
    is_whole
        Whether its value could be read.
    """

    name: str
    value: Written
    line: int
    is_quoted: bool = False
    is_whole: bool = True


def read_entries(
    text: str, inputs: Inputs, only: frozenset[str] = frozenset(), mistakes: Mistakes | None = None
) -> list[Entry]:
    """Return what a plan's text has, in its order.

    Parameters
    ----------
    only
        Names whose values are read, so that the endpoints can be known before their schemas; empty for all.
    mistakes
        Takes down those of each line, and what stands there has no value; else the first one is raised.

    Raises
    ------
    GrammarError
        Naming the line, from 1.
    """
    lines = [_with_spaces(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    margin = min((len(line) - len(line.lstrip(" ")) for line in lines if not _EMPTY.match(line)), default=0)
    # A comment may stand further to the left than what it is about.
    bare = (line.lstrip(" ") if line[:margin].strip() else line[margin:] for line in lines)
    numbered = [(number, line.rstrip()) for number, line in enumerate(bare, 1)]
    return _Lines(numbered, inputs, mistakes=mistakes).entries(only)


def _with_spaces(line: str) -> str:
    """Return a line indented by spaces only, four for a tab."""
    indent = _INDENT.match(line)
    size = indent.end() if indent else 0
    return line[:size].replace("\t", "    ") + line[size:]


def _mistake(what: str, line: int) -> GrammarError:
    return GrammarError(f"body line {line}: {what}{'' if what.endswith(('.', '?')) else '.'}")


class _Lines:
    """Some lines, their common indentation removed."""

    def __init__(
        self, lines: list[tuple[int, str]], inputs: Inputs, path: str = "", mistakes: Mistakes | None = None
    ) -> None:
        self._mistakes = mistakes
        self._lines = lines
        self._inputs = inputs
        self._path = path

    def entries(self, only: frozenset[str] = frozenset()) -> list[Entry]:
        """Return names and values; each name begins a line without indentation.

        Parameters
        ----------
        only
            Names whose values are wanted; all of them where it is empty.
        """
        found: list[Entry] = []
        at = 0
        while at < len(self._lines):
            number, line = self._lines[at]
            if _EMPTY.match(line):
                at += 1
                continue
            end = at + 1
            try:
                name, is_quoted, rest = self._name(line, number)
                end = self._end_of(at, rest)
                if any(entry.name == name and entry.is_quoted == is_quoted for entry in found):
                    raise _mistake(f"{shorten(name)} is given twice", number)
                is_wanted = not only or (name in only and not is_quoted)
                found.append(Entry(name, Plain(""), number, is_quoted, is_whole=False))
                value = self._value(name, rest, number, self._lines[at + 1 : end]) if is_wanted else Plain("")
                found[-1] = Entry(name, value, number, is_quoted)
            except GrammarError as mistake:
                if self._mistakes is None:
                    raise
                self._mistakes.add(mistake)
            at = end
        return found

    def _name(self, line: str, number: int) -> tuple[str, bool, str]:
        if line[0] == " ":
            raise _mistake("this line is indented and belongs to nothing above it", number)
        found = _NAME.match(line)
        if found:
            quoted = found["quoted"] if found["quoted"] is not None else found["single"]
            if quoted is None:
                return found["replace"] or found["plain"], False, line[found.end() :]
            name = read_quoted(f'"{quoted}"') if found["quoted"] is not None else quoted
            return name or "", True, line[found.end() :]
        almost = _ALMOST.match(line)
        hint = _SAME[almost["sign"]] if almost else "write NAME: VALUE, for example prompt: a red fox"
        raise _mistake(f"{hint}, not {shorten(line, 40)!r}", number)

    def _end_of(self, at: int, rest: str) -> int:
        """Return where the lines of an entry end: at the next name, or where its bracket is closed."""
        end = at + 1
        if rest[:1] in {"[", "{"} and not is_closed(rest):
            last = end
            while last < len(self._lines) and not _NAME.match(self._lines[last][1]):
                last += 1
            text = "\n".join([rest, *(line for _, line in self._lines[at + 1 : last])])
            close = end_of_brackets(text)
            if close is not None:
                return at + 1 + text.count("\n", 0, close)
        is_open = bool(_EMPTY.match(rest))
        while end < len(self._lines):
            line = self._lines[end][1]
            belongs = not line or line[0] == " " or (is_open and re.match(r"-(?: |\Z)", line))
            if not belongs:
                break
            end += 1
        return end

    def _value(self, name: str, rest: str, number: int, below: list[tuple[int, str]]) -> Written:
        try:
            return self._read(f"{self._path}{name}", rest.strip(), below)
        except GrammarError as error:
            if str(error).startswith("body line"):
                raise
            raise _mistake(f"{shorten(name)}: {error}", number) from None

    def _read(self, path: str, rest: str, below: list[tuple[int, str]]) -> Written:
        if _EMPTY.match(rest):
            return self._block(path, below)
        if _BLOCK.match(rest):
            return read_block(rest, [line for _, line in below])
        if rest[0] in "[{" and not is_closed(rest) and below:
            text = "\n".join([rest, *(line for _, line in below)])
            if is_closed(text):
                return self._brackets(path, text)
        extra = next(((number, line) for number, line in below if not _EMPTY.match(line)), None)
        if extra is not None:
            what = "this line is indented and goes on with a text: several lines are written with | after the name"
            raise _mistake(what, extra[0])
        return self._one_line(path, rest)

    def _one_line(self, path: str, rest: str) -> Written:
        if rest[0] in "\"'":
            quoted = read_quoted(rest)
            return Plain(rest) if quoted is None else quoted
        return self._brackets(path, rest) if rest[0] in "[{" else Plain(rest)

    def _brackets(self, path: str, text: str) -> Written:
        if text[0] == "{" and self._inputs.takes_prose(path):
            return Plain(text)
        value = read_flow(text)
        if value is None:
            # Not taken for a text where it surely is none: half a list would be sent as a prompt.
            if text[0] == "[" and not is_closed(text) and ("," in text or "\n" in text):
                raise GrammarError("the [ is never closed; a text that begins with [ needs quotes")
            return Plain(text)
        return value

    def _block(self, path: str, below: list[tuple[int, str]]) -> Written:
        lines = [(number, line) for number, line in below if not _EMPTY.match(line)]
        if not lines:
            return Plain("")
        indent = len(lines[0][1]) - len(lines[0][1].lstrip(" "))
        if re.match(r"\s*-(?: |\Z)", lines[0][1]):
            return self._items(path, below, indent)
        if indent and _NAME.match(lines[0][1].lstrip(" ")):
            return self._mapping(path, below, indent)
        raise _mistake("a text of several lines is written with | after its name", lines[0][0])

    def _mapping(self, path: str, below: list[tuple[int, str]], indent: int) -> Written:
        for number, line in below:
            if not _EMPTY.match(line) and line[:indent].strip():
                raise _mistake("this line is indented less than the ones above it", number)
        inner = [(number, line[indent:]) for number, line in below]
        nested = _Lines(inner, self._inputs, f"{path}.").entries()
        return {entry.name: entry.value for entry in nested}

    def _items(self, path: str, below: list[tuple[int, str]], indent: int) -> Written:
        groups: list[list[tuple[int, str]]] = []
        for number, line in below:
            bare = line[indent:]
            if not _EMPTY.match(line) and line[:indent].strip():
                raise _mistake("this line is indented less than the ones above it", number)
            if re.match(r"-(?: |\Z)", bare):
                groups.append([(number, " " + bare[1:])])
            elif _EMPTY.match(line) or bare[0] == " ":
                groups[-1].append((number, bare))
            else:
                raise _mistake("a list goes on with - before each value", number)
        return [self._list_item(path, group) for group in groups]

    def _list_item(self, path: str, group: list[tuple[int, str]]) -> Written:
        number, first = group[0]
        rest = first.strip()
        takes_objects = self._inputs.takes_objects(path) or path == "rows"
        if _NAME.match(rest) and (takes_objects or len([line for _, line in group if not _EMPTY.match(line)]) > 1):
            indent = len(first) - len(first.lstrip(" "))
            return self._mapping(path, group, indent)
        below = group[1:]
        if re.match(r"-(?: |\Z)", rest) and not self._inputs.takes_prose(path):
            if len(first) > _MOST_INDENT:
                raise _mistake("lists nest too deep", number)
            return self._items(path, [(number, first), *below], len(first) - len(first.lstrip(" ")))
        try:
            return self._read(path, rest, below)
        except GrammarError as error:
            if str(error).startswith("body line"):
                raise
            raise _mistake(f"{shorten(path)}: {error}", number) from None
