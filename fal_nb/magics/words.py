"""Words of a line: which mean what, and what was meant by those that mean nothing."""

from __future__ import annotations

import re

from fal_nb.errors import EndpointError
from fal_nb.magics.items import Item, Option, Word
from fal_nb.magics.options import SUBCOMMANDS, SubcommandSpec
from fal_nb.magics.quoting import QUOTES, quote_text, unquote
from fal_nb.magics.tokens import NAME, Chunk, Line
from fal_nb.magics.values import Bare, read_value
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.templates.mistakes import Edit, Mistake, nearest, shorten
from fal_nb.templates.template import parse_reference

__all__ = ["CHOICE_WORD", "JOB_WORD", "TOPICS", "check_word", "extra_word", "missing_endpoint"]

JOB_WORD = re.compile(r"#?([0-9]{1,18})|[A-Za-z0-9][A-Za-z0-9_.:~-]*")
"""A job's number, alone in its group, or a request id."""

CHOICE_WORD = re.compile(r"#?([0-9]{1,18})=([A-Za-z0-9][A-Za-z0-9_.:~-]{0,127})")
"""A record's number and the request it is."""

TOPICS = (*SUBCOMMANDS, "grammar")
"""What help is about."""

_EXAMPLE = "fal-ai/flux/dev"
_PAGE = re.compile(r"https?://(?:www\.)?fal\.ai/models/([^?#\s]+?)(?:/(?:playground|api|examples))?/?(?:[?#].*)?")
_SPACED_NAME = re.compile(rf"""({NAME})(?:\s+(:?=)\s*+(?=\S)|\s*+:\s*+(?=["'“”\[{{@0-9-]))""")
_TAKES = {"none": "no words", "job": "one job", "action": "one word", "topic": "one topic", "endpoint": "one endpoint"}
_LONE_NAME = re.compile(rf"{NAME}")


def check_word(spec: SubcommandSpec, word: Word, chunk: Chunk, line: Line, count: int) -> bool:
    """Return whether the subcommand has a place for one more word after `count` others.

    Raises
    ------
    Mistake
        Where it has a place and the word does not fit it.
    """
    if spec.words == "endpoint":
        if count == 0:
            _check_endpoint(word, chunk, line)
        elif word.quoted:
            read_value(chunk)
        return count == 0 or (count == 1 and word.quoted and spec.takes_inputs)
    if spec.words in {"job", "jobs"}:
        has_place = count == 0 or spec.words == "jobs"
        if has_place:
            _check_job(spec, word, chunk)
        return has_place
    if spec.words == "choices":
        _check_choice_of_request(word, chunk)
        return True
    if spec.words in {"action", "topic"}:
        if count == 0:
            _check_choice(spec, word)
        return count == 0
    return spec.words == "search"


def extra_word(spec: SubcommandSpec, line: Line, index: int, words: list[Word]) -> Mistake:
    """Return the mistake of a word that has no place, with what was probably meant."""
    token = line.tokens[index]
    shown = shorten(token.raw)
    if not spec.takes_inputs:
        before = line.tokens[index - 1].end
        what = f"{spec.name} takes {_TAKES[spec.words]}, not {shown!r}"
        return Mistake(what, token.column, Edit(before, token.end, ""))
    if words and token.raw[0] in QUOTES:
        return Mistake(f"there is a text already, {shorten(words[-1].text, 40)!r}: give {shown} a name", token.column)
    joined = _joined(line, index)
    if joined:
        return joined
    left, equals, _ = token.raw.partition("=")
    if equals and left:
        what = f"{shorten(left)!r} is not a name; a list is written in brackets, NAME=[…]"
        return Mistake(what, token.column)
    end = _phrase_end(line, index)
    phrase = line.text[token.column : end]
    why = ", and a text with spaces needs quotes" if " " in phrase else ""
    return Mistake(f"{shorten(phrase)!r} has no name{why}", token.column, *_edits(line, index, end))


def missing_endpoint(line: Line, items: list[Item]) -> Mistake:
    """Return the mistake of a line that calls no endpoint; it may have become the value of an option."""
    first = line.tokens[0]
    for item in items:
        if isinstance(item, Option) and isinstance(item.value, Bare) and _is_endpoint(item.value.text):
            name = item.raw.partition(" ")[0]
            rest = line.text[: item.value_column].rstrip() + line.text[item.column + len(item.raw) :]
            moved = f"{rest[: first.end]} {item.value.text}{rest[first.end :]}"
            what = f"{item.value.text} was read as the value of {shorten(name)}: the endpoint comes first"
            return Mistake(what, item.value_column, Edit(0, len(line.text), moved))
    if any(isinstance(item, Option) and item.ours and item.name[0] == "with" for item in items):
        # An example's endpoint would be sent the arguments of another one.
        return Mistake("the endpoint is missing: --with brings arguments alone, those of any endpoint", first.end)
    fix = Edit(first.end, first.end, f" {_EXAMPLE}")
    return Mistake(f"the endpoint is missing, for example {_EXAMPLE}", first.end, fix)


def _is_endpoint(text: str) -> bool:
    try:
        EndpointId.parse(text)
    except EndpointError:
        return False
    return True


def _check_endpoint(word: Word, chunk: Chunk, line: Line) -> None:
    if "{" in word.text or "}" in word.text:
        read_value(chunk)
        return
    try:
        EndpointId.parse(word.text)
    except EndpointError as error:
        end = word.column + len(word.raw)
        page = _PAGE.fullmatch(word.text)
        if page:
            raise Mistake("an endpoint is not a URL", word.column, Edit(word.column, end, page[1])) from None
        first = line.tokens[0].end
        for token in line.tokens:
            if token.kind == "word" and token.column > end and _is_endpoint(token.raw) and "/" in token.raw:
                text = line.text[: token.column].rstrip() + line.text[token.end :]
                moved = Edit(0, len(line.text), f"{text[:first]} {token.raw}{text[first:]}")
                raise Mistake("the endpoint comes first", word.column, moved) from None
        if word.quoted:
            fix = Edit(word.column, word.column, f"{_EXAMPLE} ")
            raise Mistake("the endpoint comes before its text", word.column, fix) from None
        raise Mistake(str(error).rstrip("."), word.column) from None


def _check_job(spec: SubcommandSpec, word: Word, chunk: Chunk) -> None:
    if "{" in word.text:
        read_value(chunk)
    elif not JOB_WORD.fullmatch(word.text):
        shown = shorten(word.text)
        kind = "an endpoint" if _is_endpoint(word.text) else "no job"
        what = f"{shown!r} is {kind}: {spec.name} takes a job's number (12 or #12) or a request id"
        raise Mistake(what, word.column)


def _check_choice_of_request(word: Word, chunk: Chunk) -> None:
    if "{" in word.text:
        read_value(chunk)
    elif not CHOICE_WORD.fullmatch(word.text):
        what = f"{shorten(word.text)!r} is no choice: reconcile takes JOB=REQUEST_ID, #12=764cabcf-… for example"
        raise Mistake(what, word.column)


def _check_choice(spec: SubcommandSpec, word: Word) -> None:
    choices = spec.choices or TOPICS
    if word.text not in choices:
        like = nearest(word.text, choices)
        hint = f"did you mean {like}?" if like else f"there are {', '.join(choices)}"
        edits = [Edit(word.column, word.column + len(word.raw), like)] if like else []
        raise Mistake(f"{spec.name} knows no {shorten(word.text)!r}; {hint}", word.column, *edits)


def _phrase_end(line: Line, index: int) -> int:
    """Return where the words that begin with token `index` end."""
    end = line.tokens[index].end
    for token in line.tokens[index + 1 :]:
        if token.kind != "word":
            break
        end = token.end
    return end


def _joined(line: Line, index: int) -> Mistake | None:
    """Return the mistake of a name and a value that are not written together, if that is what stands here."""
    token, text = line.tokens[index], line.text
    spaced = _SPACED_NAME.match(text, token.column)
    if spaced:
        operator = spaced[2] or "="
        what = f"no space belongs around {operator}" if spaced[2] else "a name is followed by =, not by :"
        return Mistake(what, token.column, Edit(token.column, spaced.end(), f"{spaced[1]}{operator}"))
    following = line.tokens[index + 1] if index + 1 < len(line.tokens) else None
    if following and following.raw[0] in QUOTES and _LONE_NAME.fullmatch(token.raw):
        fix = Edit(token.end, following.column, "=")
        return Mistake(f"after {shorten(token.raw)} a = is missing", token.end, fix)
    return None


def _edits(line: Line, index: int, end: int) -> list[Edit]:
    """Return what the words from token `index` up to `end` may have been meant to be, the likeliest first."""
    token, text = line.tokens[index], line.text
    edits = []
    before = line.tokens[index - 1]
    if index > 1 and before.chunk and (index > 2 or before.kind != "word"):
        edits.append(_merged(text, before.chunk, end))
    phrase = text[token.column : end]
    name, value = "prompt", quote_text(phrase)
    if token.raw[0] == "@":
        name, value = "image_url", phrase
    elif token.raw[0] == "{" and parse_reference(phrase[1:-1]):
        value = phrase
    return [*edits, Edit(token.column, end, f"{name}={value}")]


def _merged(text: str, chunk: Chunk, end: int) -> Edit:
    """Return the value before the words, and the words, as one value in quotes."""
    inside = text[chunk.column : end]
    if chunk.form == "path":
        return Edit(chunk.column, end, f'@"{inside[1:]}"')
    if chunk.form == "quoted":
        quote = QUOTES[chunk.raw[0]]
        is_inside = inside.endswith(quote)
        inside = inside[1:-1] if is_inside else unquote(chunk.raw) + text[chunk.end : end]
    return Edit(chunk.column, end, quote_text(inside))
