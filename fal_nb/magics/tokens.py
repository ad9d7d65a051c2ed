"""Line → tokens with their places. Never raises: a mistake is kept on the token, so that completion can work on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fal_nb.magics.options import JOB_SUBCOMMANDS
from fal_nb.magics.quoting import QUOTES, find_close, quote_text, unescape
from fal_nb.templates.mistakes import Edit, Mistake

__all__ = ["MAX_DEPTH", "NAME", "Chunk", "Form", "Line", "Token", "close_bracket", "tokenize"]

Form: TypeAlias = Literal["bare", "quoted", "path", "brackets"]

NAME = r"[^\W\d][\w-]*+(?:\.[^\W\d][\w-]*+)*+"
"""A name of an input, dotted where it is nested."""

MAX_DEPTH = 100
_CANDIDATES = 6

_SPACE = re.compile(r"\s*+")
_RUN = re.compile(r"\S++")
_ASSIGN = re.compile(rf"({NAME})(:?=)")
_OPTION = re.compile(rf"--({NAME})(:?=)?+")
_SHORT = re.compile(r"-[A-Za-z](?=[=;\s]|\Z)")
_JOB_NUMBER = re.compile(r"#[0-9]++(?==|;?\s|;?\Z)")
_LAST_SEMICOLON = re.compile(r";(?:\s*+\Z|\s++#)")
_NEXT_ITEM = re.compile(rf"(?<=\s)(?:--[^\W\d]|{NAME}:?=)")
_BRACKET_PART = re.compile(
    r"""[^"'\[\]{}]++|"(?:[^"\\]++|\\.)*+"?+|'(?:[^'\\]++|\\.)*+'?+|[\[\]{}]""",
    re.DOTALL,
)
_TAKE_MANY = frozenset({"wait", "reconcile"})
_CLOSERS = {"[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A value as written.

    Attributes
    ----------
    column
        0-based place in the line.
    raw
        With its quotes, its ``@`` or its brackets.
    """

    form: Form
    column: int
    raw: str

    @property
    def end(self) -> int:
        """The place just after it."""
        return self.column + len(self.raw)


@dataclass(frozen=True, slots=True)
class Token:
    """One item as written, or as far as it could be read.

    Attributes
    ----------
    name
        Of an assignment (``image_size.width``) or an option, hyphens as written, without its ``--``; a short option
        keeps its hyphen (``-o``). Empty for a word.
    chunk
        The value after the operator, or the word itself; None where there is none.
    mistake
        Why it could not be read; no token follows it then.
    """

    kind: Literal["word", "assign", "option"]
    column: int
    raw: str
    name: str = ""
    operator: str = ""
    chunk: Chunk | None = None
    mistake: Mistake | None = None

    @property
    def end(self) -> int:
        """The place just after it."""
        return self.column + len(self.raw)


@dataclass(frozen=True, slots=True)
class Line:
    """All tokens of a line.

    Attributes
    ----------
    silenced
        Whether a last ``;`` stands after the items.
    comment_column
        Where the comment begins, or None.
    """

    text: str
    tokens: tuple[Token, ...]
    silenced: bool = False
    comment_column: int | None = None


def tokenize(text: str) -> Line:
    """Return the tokens of a line, without the ``%fal`` before them."""
    tokens: list[Token] = []
    position = 0
    while True:
        position = _skip_space(text, position)
        if position == len(text):
            return Line(text, tuple(tokens))
        if text[position] == "#" and not _is_job_number(text, position, tokens):
            return Line(text, tuple(tokens), comment_column=position)
        if _LAST_SEMICOLON.match(text, position):
            return _silenced(text, tokens, position)
        token = _read_token(text, position)
        tokens.append(token)
        position = token.end


def close_bracket(text: str, start: int) -> int:
    """Return the place just after the bracket that closes the one at `start`.

    Raises
    ------
    Mistake
        Where there is none, another one comes first, or they nest deeper than 100.
    """
    open_at: list[int] = []
    for part in _BRACKET_PART.finditer(text, start):
        character = part[0]
        if character in _CLOSERS:
            open_at.append(part.start())
            if len(open_at) > MAX_DEPTH:
                raise Mistake(f"brackets nest deeper than {MAX_DEPTH}", part.start())
        elif character in {"]", "}"}:
            opened = open_at.pop()
            wanted = _CLOSERS[text[opened]]
            if character != wanted:
                fix = Edit(part.start(), part.end(), wanted)
                raise Mistake(f"{wanted} should close the bracket, but {character} stands here", part.start(), fix)
            if not open_at:
                return part.end()
    missing = "".join(_CLOSERS[text[at]] for at in reversed(open_at))
    end = len(text.rstrip("; \t\n"))
    edits = (Edit(stop, end, missing) for stop in (end, len(text[:end].rstrip(", "))))
    raise Mistake(f"the {text[start]} opened here is never closed", start, *edits)


def _skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _is_job_number(text: str, position: int, tokens: list[Token]) -> bool:
    """Tell whether ``#12`` names a job: the first word after a subcommand that takes one, any if it takes many."""
    if not tokens or tokens[0].raw not in JOB_SUBCOMMANDS or not _JOB_NUMBER.match(text, position):
        return False
    return tokens[0].raw in _TAKE_MANY or not any(token.kind == "word" for token in tokens[1:])


def _silenced(text: str, tokens: list[Token], semicolon: int) -> Line:
    after = _skip_space(text, semicolon + 1)
    return Line(text, tuple(tokens), silenced=True, comment_column=after if after < len(text) else None)


def _read_token(text: str, start: int) -> Token:
    short = _SHORT.match(text, start)
    if text.startswith("--", start) or short:
        return _read_option(text, start, short[0] if short else "")
    assign = _ASSIGN.match(text, start)
    if assign:
        return _with_value(text, "assign", start, assign[1], assign[2], assign.end())
    if text[start] in "—–" and _OPTION.match("--" + text[start + 1 : start + 2]):
        fix = Edit(start, start + 1, "--")
        mistake = Mistake("a long dash stands where an option's two hyphens belong", start, fix)
        return Token("word", start, text[start:], mistake=mistake)
    return _with_value(text, "word", start, "", "", start)


def _read_option(text: str, start: int, short: str) -> Token:
    if short:
        end = start + len(short)
        if text.startswith("=", end):
            return _with_value(text, "option", start, short, "=", end + 1)
        return Token("option", start, short, short)
    found = _OPTION.match(text, start)
    if found is None:
        return Token("option", start, text[start:], mistake=Mistake("a name belongs directly after --", start))
    name, operator, end = found[1], found[2] or "", found.end()
    if operator:
        return _with_value(text, "option", start, name, operator, end)
    if end < len(text) and not text[end].isspace() and not _LAST_SEMICOLON.match(text, end):
        fix = Edit(end, end + (text[end] == ":"), "=")
        mistake = Mistake(f"after --{name} a space or = is missing", end, fix)
        return Token("option", start, text[start:], name, mistake=mistake)
    return Token("option", start, found[0], name)


def _with_value(
    text: str, kind: Literal["word", "assign", "option"], start: int, name: str, operator: str, at: int
) -> Token:
    """Read the value at `at` and put the token together."""
    try:
        chunk = _read_chunk(text, at, operator)
        if chunk.end < len(text) and not text[chunk.end].isspace() and not _LAST_SEMICOLON.match(text, chunk.end):
            raise _glued(text, chunk)
    except Mistake as mistake:
        return Token(kind, start, text[start:], name, operator, Chunk("bare", at, text[at:]), mistake)
    return Token(kind, start, text[start : chunk.end], name, operator, chunk)


def _read_chunk(text: str, start: int, operator: str) -> Chunk:
    """Return the value that begins at `start`; for words and ``:=`` some forms do not exist."""
    if start == len(text) or text[start].isspace() or _LAST_SEMICOLON.match(text, start):
        raise _missing_value(text, start, operator)
    first = text[start]
    if first in QUOTES:
        return Chunk("quoted", start, text[start : _close_quote(text, start)])
    if first == "@" and operator != ":=":
        if text[start + 1 : start + 2] in QUOTES:
            return _quoted_path(text, start)
        return Chunk("path", start, _bare(text, start))
    if first in _CLOSERS:
        return Chunk("brackets", start, text[start : close_bracket(text, start)])
    return Chunk("bare", start, _bare(text, start))


def _bare(text: str, start: int) -> str:
    """Return the characters up to a space, without a last ``;`` of the line."""
    found = _RUN.match(text, start)
    end = found.end() if found else start
    if text[end - 1] == ";" and end - start > 1 and _LAST_SEMICOLON.match(text, end - 1):
        end -= 1
    return text[start:end]


def _close_quote(text: str, start: int) -> int:
    """Return the place just after the closing quote."""
    close = find_close(text, start)
    if close is None:
        raise Mistake("the quote opened here is never closed", start, *_close_edits(text, start))
    return close + 1


def _quoted_path(text: str, start: int) -> Chunk:
    """Return a path in quotes; no escapes in it, so that a folder's backslash is one."""
    quote = QUOTES[text[start + 1]]
    close = text.find(quote, start + 2)
    if close < 0:
        end = len(text.rstrip("; \t\n"))
        raise Mistake("the quote opened here is never closed", start + 1, Edit(end, end, quote))
    return Chunk("path", start, text[start : close + 1])


def _close_edits(text: str, start: int) -> Iterator[Edit]:
    """Yield where an unclosed quote may have been meant to close: before the next item, or at the end."""
    following = _NEXT_ITEM.search(text, start)
    ends = [following.start()] if following else []
    for end in (*ends, len(text)):
        inside = text[start + 1 : end].rstrip("; \t\n")
        stop = start + 1 + len(inside) if end < len(text) else end
        if text[start] in "“”":
            inside = inside.removesuffix('"')
        yield Edit(start, stop, quote_text(unescape(inside, text[start])))


def _missing_value(text: str, at: int, operator: str) -> Mistake:
    after = _skip_space(text, at)
    what = f"a value belongs directly after {operator}"
    if after == at or after == len(text) or text[after] == "#" or _NEXT_ITEM.match(text, after):
        return Mistake(f'{what}; an empty text is ""', at, Edit(at, at, '""'))
    return Mistake(f"{what}, without a space", at, Edit(at, after, ""), Edit(at, at, '""'))


def _glued(text: str, chunk: Chunk) -> Mistake:
    """Return the mistake of characters that stand directly after a closing quote or bracket."""
    end = chunk.end
    if text[end] in ",;":
        return Mistake("items are separated by spaces alone", end, Edit(end, end + 1, ""), Edit(end, end + 1, " "))
    edits = [Edit(end, end, " ")] if _ASSIGN.match(text, end) or text.startswith("--", end) else []
    if chunk.form == "brackets":
        rest = _RUN.match(text, end)
        stops = (rest.end() if rest else end, len(text))
        edits += [Edit(chunk.column, stop, quote_text(text[chunk.column : stop].rstrip("; "))) for stop in stops]
        return Mistake("text goes on after the closing bracket: a text that holds brackets needs quotes", end, *edits)
    if chunk.form == "quoted":
        edits += _later_closes(text, chunk)
    return Mistake("text goes on after the closing quote", end, *edits)


def _later_closes(text: str, chunk: Chunk) -> Iterator[Edit]:
    """Yield where a quoted text may have been meant to close: at each later quote that a space follows."""
    opened = chunk.column
    closing = re.compile(re.escape(QUOTES[text[opened]]) + r"(?=;?\s|;?\Z)")
    for number, found in enumerate(closing.finditer(text, chunk.end)):
        if number == _CANDIDATES:
            return
        inside = unescape(text[opened + 1 : found.start()], text[opened])
        yield Edit(opened, found.end(), quote_text(inside))
