"""The grammar of ``%fal``: a line → a subcommand and its items, or one ``GrammarError`` that says what to write.

::

    line     = SUBCOMMAND item*           space separates; " #" outside quotes begins a comment; a last ";" silences
    item     = NAME=value | NAME:=json | option | word            NAME may be dotted: image_size.width=512
    value    = "text" | 'text' | “text” | @path | @"path" | [..] or {..} up to its closing bracket | bare, up to a space
    option   = --name value | --name=value | --name

After an input's ``--name`` the next token is its value, unless it is an option or a ``name=value``; then, and at the
end, ``--name`` is true. Directly after a subcommand about jobs ``#12`` is a job's number and no comment.
"""

from __future__ import annotations

import re

from fal_nb.magics.filters import begins_filter
from fal_nb.magics.items import Assign, Input, Item, JsonAssign, Option, ParsedLine, Word
from fal_nb.magics.options import OTHER_NAMES, SUBCOMMANDS, OptionSpec, SubcommandSpec, find_option
from fal_nb.magics.quoting import unquote
from fal_nb.magics.tokens import Chunk, Line, Token, tokenize
from fal_nb.magics.values import Text, read_json, read_value
from fal_nb.magics.words import check_word, extra_word, missing_endpoint
from fal_nb.templates.mistakes import Edit, Mistake, explain, nearest, shorten, shown_column

__all__ = ["parse_line", "parses"]

_MAX_PARTS = 20
_SPACED_EQUALS = re.compile(r"\s*+=\s*+")
_HELP = {"--help", "-h", "-?", "?"}


def parse_line(text: str, magic: str = "%fal") -> ParsedLine:
    """Return what a line says.

    Parameters
    ----------
    text
        What stands after the magic's name.
    magic
        ``%fal`` or ``%%fal``; its length counts in the column a message names.

    Raises
    ------
    GrammarError
        Where it cannot be read; nothing else is ever raised.
    """
    try:
        return _Parser(text, magic).parse()
    except Mistake as mistake:
        raise explain(mistake, text, magic, parses) from None


def parses(line: str) -> bool:
    """Return whether a line has no mistake of grammar."""
    try:
        _Parser(line, "%fal").parse()
    except Mistake:
        return False
    return True


class _Parser:
    """One pass over the tokens of one line; raises ``Mistake`` at the first one."""

    def __init__(self, text: str, magic: str) -> None:
        self._line = tokenize(text)
        self._tokens = self._line.tokens
        self._magic = magic
        self._spec = _subcommand(self._line)
        self._items: list[Item] = []
        self._words: list[Word] = []
        self._names: dict[tuple[str, ...], Input] = {}
        self._parents: dict[tuple[str, ...], Input] = {}

    def parse(self) -> ParsedLine:
        """Return the line's items."""
        index = 1
        while index < len(self._tokens):
            token = self._tokens[index]
            if token.raw in _HELP:
                raise _wants_help(self._line.text, self._spec.name)
            if token.mistake:
                raise token.mistake
            if token.kind == "option":
                index += self._option(token, index)
            elif token.kind == "assign":
                self._assign(token)
            else:
                self._word(token, index)
            index += 1
        if self._spec.words == "endpoint" and not self._words:
            raise missing_endpoint(self._line, self._items)
        return ParsedLine(
            self._line.text, self._magic, self._spec.name, tuple(self._items), silenced=self._line.silenced
        )

    def _word(self, token: Token, index: int) -> None:
        chunk = _chunk(token)
        quoted = chunk.form == "quoted"
        word = Word(token.column, token.raw, unquote(chunk.raw) if quoted else chunk.raw, quoted)
        if not check_word(self._spec, word, chunk, self._line, len(self._words)):
            raise extra_word(self._spec, self._line, index, self._words)
        self._words.append(word)
        self._items.append(word)

    def _assign(self, token: Token) -> None:
        ours = find_option(self._spec, token.name) if self._spec.assigns_options else None
        if ours and token.operator == "=":
            self._our_option(token, ours, None)
            return
        if not self._spec.takes_inputs:
            raise _no_inputs(self._spec, token)
        chunk, name = _chunk(token), _parts(token)
        item: Assign | JsonAssign
        if token.operator == ":=":
            item = JsonAssign(token.column, token.raw, name, read_json(chunk), chunk.column)
        else:
            item = Assign(token.column, token.raw, name, read_value(chunk), chunk.column)
        self._add(item)

    def _option(self, token: Token, index: int) -> int:
        """Add an option and return how many tokens after it are its value: none or one."""
        if token.operator == ":=":
            fix = Edit(token.column, token.end, token.raw.removeprefix("--"))
            raise Mistake("an option has no :=", token.column, fix)
        following = self._tokens[index + 1] if index + 1 < len(self._tokens) else None
        ours = find_option(self._spec, token.name)
        if following and not token.operator and following.kind == "word" and following.raw.startswith("="):
            spaced = _SPACED_EQUALS.match(self._line.text, token.end)
            fix = Edit(token.end, spaced.end() if spaced else following.column, "=")
            raise Mistake("no space belongs around =", token.end, fix)
        if ours and ours.kind == "filter":
            return self._filters(token, ours, index)
        if ours:
            return self._our_option(token, ours, following)
        _check_foreign(self._spec, token, self._line.text)
        parts = tuple(part.replace("-", "_") for part in _parts(token))
        if token.operator:
            chunk: Chunk | None = _chunk(token)
        else:
            chunk = following.chunk if following and following.kind == "word" else None
        if chunk and following and chunk is following.chunk and following.mistake:
            raise following.mistake
        value = read_value(chunk) if chunk else None
        end = chunk.end if chunk else token.end
        raw = self._line.text[token.column : end]
        self._add(Option(token.column, raw, parts, value, chunk.column if chunk else end, ours=False))
        return 1 if chunk and not token.operator else 0

    def _our_option(self, token: Token, spec: OptionSpec, following: Token | None) -> int:
        end, value = token.end, None
        chunk = token.chunk
        if spec.kind == "flag" and chunk:
            raise Mistake(f"{spec.spelling} takes no value", token.column, Edit(token.column, end, spec.spelling))
        if spec.kind != "flag":
            if chunk is None:
                if following is None or following.kind != "word":
                    raise Mistake(f"{spec.spelling} needs a value: {spec.spelling} {spec.metavar}", token.column)
                if following.mistake:
                    raise following.mistake
                chunk = _chunk(following)
            value = Text(unquote(chunk.raw) if chunk.form == "quoted" else chunk.raw)
            end = chunk.end
        column = chunk.column if chunk else end
        item = Option(token.column, self._line.text[token.column : end], (spec.name,), value, column, ours=True)
        if not spec.many and any(
            other.name == item.name for other in self._items if isinstance(other, Option) and other.ours
        ):
            raise Mistake(f"{spec.spelling} is given twice", token.column, Edit(token.column, end, ""))
        self._items.append(item)
        return 1 if chunk and not token.operator else 0

    def _filters(self, token: Token, spec: OptionSpec, index: int) -> int:
        """Add an option for each filter behind one of ours, and return how many tokens after it they are."""
        found = [token.chunk] if token.chunk else []
        if not token.operator:
            for following in self._tokens[index + 1 :]:
                chunk = Chunk("bare", following.column, following.raw)
                if following.chunk and following.chunk.form == "quoted" and following.kind == "word":
                    if found:
                        break
                    chunk = following.chunk
                elif following.kind == "option" or (found and not begins_filter(following.raw)):
                    break
                if following.mistake:
                    raise following.mistake
                found.append(chunk)
        if not found:
            raise Mistake(f"{spec.spelling} needs a filter: {spec.spelling} {spec.metavar}", token.column)
        for chunk in found:
            value = Text(unquote(chunk.raw) if chunk.form == "quoted" else chunk.raw)
            self._items.append(Option(token.column, chunk.raw, (spec.name,), value, chunk.column, ours=True))
        return 0 if token.operator else len(found)

    def _add(self, item: Input) -> None:
        """Add an input, unless its name or a part of it is taken."""
        dotted = shorten(".".join(item.name))
        other = self._names.get(item.name)
        if other:
            first = shown_column(other.column, self._magic)
            raise Mistake(f"{dotted} is given twice, first at column {first}: keep one of them", item.column)
        parents = [item.name[:length] for length in range(1, len(item.name))]
        other = self._parents.get(item.name) or next((self._names[p] for p in parents if p in self._names), None)
        if other:
            taken = shorten(".".join(other.name))
            raise Mistake(f"{dotted} and {taken} exclude each other: one is a part of the other", item.column)
        self._names[item.name] = item
        self._parents.update(dict.fromkeys(parents, item))
        self._items.append(item)


def _subcommand(line: Line) -> SubcommandSpec:
    if not line.tokens:
        what = f"a subcommand belongs here: {', '.join(SUBCOMMANDS)}"
        raise Mistake(what, 0, Edit(0, len(line.text), "help"))
    first = line.tokens[0]
    if first.raw in SUBCOMMANDS:
        return SUBCOMMANDS[first.raw]
    if first.raw in _HELP:
        raise _wants_help(line.text)
    if first.raw.rstrip("?") in SUBCOMMANDS:
        raise _wants_help(line.text, first.raw.rstrip("?"))
    if first.kind != "word" or first.raw[0] in "\"'“”":
        raise Mistake(
            "a subcommand comes first", first.column, Edit(first.column, first.column, "run fal-ai/flux/dev ")
        )
    if "/" in first.raw and len(first.raw.split("/")) < 10:
        raise Mistake("a subcommand comes before the endpoint", first.column, Edit(first.column, first.column, "run "))
    like = OTHER_NAMES.get(first.raw.lower()) or nearest(first.raw, SUBCOMMANDS)
    what = f"there is no subcommand {shorten(first.raw)!r}"
    if like is None:
        raise Mistake(f"{what}, only {', '.join(SUBCOMMANDS)}", first.column, Edit(0, len(line.text), "help"))
    raise Mistake(f"{what}; did you mean {like}?", first.column, Edit(first.column, first.end, like))


def _wants_help(text: str, subcommand: str = "") -> Mistake:
    return Mistake("help is a subcommand", 0, Edit(0, len(text), f"help {subcommand}".strip()))


def _chunk(token: Token) -> Chunk:
    """Return the value of a token that has one."""
    return token.chunk or Chunk("bare", token.end, "")


def _parts(token: Token) -> tuple[str, ...]:
    parts = tuple(token.name.split("."))
    if len(parts) > _MAX_PARTS:
        raise Mistake(f"a name has at most {_MAX_PARTS} parts", token.column)
    return parts


def _no_inputs(spec: SubcommandSpec, token: Token) -> Mistake:
    """Return the mistake of ``name=value`` where no endpoint is called."""
    what = f"{spec.name} takes no name=value"
    option = find_option(spec, token.name)
    if spec.assigns_options and (like := nearest(token.name, [each.name for each in spec.options])):
        fix = Edit(token.column, token.column + len(token.name), like)
        return Mistake(f"{spec.name} knows no {shorten(token.name)!r}; did you mean {like}?", token.column, fix)
    if option is None and find_option(spec, "where"):
        return Mistake(f"{what} of its own", token.column, Edit(token.column, token.end, f"--where {token.raw}"))
    if option is None:
        return Mistake(f"{what}; `%fal help {spec.name}` lists what it takes", token.column)
    value = _chunk(token).raw
    return Mistake(what, token.column, Edit(token.column, token.end, f"{option.spelling} {value}"))


def _check_foreign(spec: SubcommandSpec, token: Token, text: str) -> None:
    """Refuse an option that is neither ours nor an endpoint's input."""
    written = token.name if token.name.startswith("-") else f"--{token.name}"
    if not spec.takes_inputs or written == token.name:
        known = [name for option in spec.options for name in (option.spelling, option.short) if name]
        like = nearest(written, known)
        hint = f"did you mean {like}?" if like else f"`%fal help {spec.name}` lists what it takes"
        edits = [Edit(token.column, token.column + len(written), like)] if like else []
        raise Mistake(f"{spec.name} has no option {shorten(written)}; {hint}", token.column, *edits)
    for other in SUBCOMMANDS.values():
        if other.takes_inputs and other is not spec and find_option(other, token.name):
            what = f"{written} is an option of {other.name}, not of {spec.name}; an input of that name is NAME=VALUE"
            raise Mistake(what, token.column, Edit(0, len(text), text.replace(spec.name, other.name, 1)))
