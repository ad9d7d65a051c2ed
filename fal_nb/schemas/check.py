"""Arguments against an endpoint's schema: what fits goes through as the endpoint wants it, and every problem at once.

Coercion loses nothing: ``"3"`` for an integer is 3, 3 for a choice of texts is ``"3"``, one value for a list is a
list of one. What could mean two things is a problem, not a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fal_nb.protocol.status import JSON
from fal_nb.schemas.endpoint_schema import EndpointSchema
from fal_nb.schemas.nearest import nearest
from fal_nb.schemas.scalars import Path, Problem, fit_choice, fit_flag, fit_number, fit_text
from fal_nb.schemas.types import (
    Anything,
    Choice,
    Field,
    Flag,
    InputType,
    ListOf,
    Nothing,
    Number,
    ObjectOf,
    OneOf,
    Text,
)
from fal_nb.schemas.unions import pairs_as_size, problem_of_union, size_from_text
from fal_nb.schemas.words import describe_type, show_value, with_article

__all__ = ["Checked", "Fit", "check_arguments"]

_MOST_PROBLEMS = 50
_OTHER_WORDS = {
    "cfg": "guidance_scale",
    "cfg_scale": "guidance_scale",
    "n": "num_images",
    "batch_size": "num_images",
    "text": "prompt",
    "prompt": "text",
    "image": "image_url",
    "init_image": "image_url",
    "steps": "num_inference_steps",
    "size": "image_size",
    "format": "output_format",
    "output_format": "format",
    "length": "duration",
}
"""Names from other tools and from sibling endpoints → the one this endpoint may have."""


@dataclass(frozen=True)
class Checked:
    """What a check came to.

    Attributes
    ----------
    arguments
        As the endpoint wants them: coerced where that loses nothing.
    problems
        In the order of the arguments; empty where all is well.
    """

    endpoint: str
    arguments: dict[str, Any]
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the arguments can be sent."""
        return not self.problems

    @property
    def lines(self) -> list[str]:
        """One line a problem."""
        return [str(problem) for problem in self.problems]

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        if self.ok:
            return f"{self.endpoint}: the arguments fit."
        return "\n".join((f"{self.endpoint}: {len(self.problems)} to mend", *(f"  {line}" for line in self.lines)))


@dataclass(slots=True)
class Fit:
    """A value as its type wants it.

    Attributes
    ----------
    changes
        How often something had to be coerced; of several options of a union the one with the fewest is meant.
    """

    value: Any
    problems: list[Problem] = field(default_factory=list)
    changes: int = 0


IsFile: TypeAlias = Callable[[Any], bool]


def _no_file(_value: Any) -> bool:
    return False


def check_arguments(schema: EndpointSchema, arguments: Mapping[str, Any], *, is_file: IsFile = _no_file) -> Checked:
    """Return the arguments as the endpoint wants them, with every problem there is.

    Parameters
    ----------
    arguments
        JSON; not changed.
    is_file
        Whether a value stands for a local file that will be uploaded, so that a URL takes its place.
    """
    checker = _Checker(is_file)
    fit = checker.fit_object(schema.inputs, dict(arguments), (), schema.endpoint)
    return Checked(schema.endpoint, fit.value, tuple(fit.problems[:_MOST_PROBLEMS]))


class _Checker:
    """One check."""

    def __init__(self, is_file: IsFile) -> None:
        self._is_file = is_file

    def fit(self, wanted: InputType, value: Any, path: Path) -> Fit:
        """Return a value as a type wants it."""
        if isinstance(wanted, OneOf):
            return self._fit_union(wanted, value, path)
        if isinstance(wanted, ObjectOf):
            return self._fit_object_like(wanted, value, path)
        if isinstance(wanted, ListOf):
            return self._fit_list(wanted, value, path)
        if self._is_file(value):
            return self._fit_file(wanted, value, path)
        return _fit_scalar(wanted, value, path)

    def fit_object(self, wanted: ObjectOf, value: dict[Any, Any], path: Path, where: str) -> Fit:
        """Return an object part by part: those it has, those it should have, and those nobody knows.

        Parameters
        ----------
        where
            What has the parts, in the words of messages.
        """
        fit = Fit({})
        meant = set()
        for name, inner in value.items():
            known = wanted.field(str(name))
            if known is None and wanted.others is None:
                fit.problems.append(_unknown_name(wanted, str(name), value, path, where))
                meant.add(fit.problems[-1].suggestion)
                fit.value[name] = inner
                continue
            part = self._fit_part(known, wanted, inner, (*path, str(name)))
            if part is None:
                continue
            fit.value[name] = part.value
            fit.problems += part.problems
            fit.changes += part.changes
        fit.problems += [
            Problem((*path, lacking.name), _lacking(lacking))
            for lacking in wanted.fields
            if lacking.required and lacking.name not in value and lacking.name not in meant
        ]
        return fit

    def _fit_part(self, known: Field | None, wanted: ObjectOf, value: Any, path: Path) -> Fit | None:
        """Return one part of an object; None where a null says no more than leaving it out does."""
        if known is None:
            return self.fit(wanted.others or Anything(), value, path)
        if value is None and not known.accepts_null:
            return Fit(None, [Problem(path, _lacking(known))]) if known.required else None
        return self.fit(known.type, value, path)

    def _fit_union(self, wanted: OneOf, value: Any, path: Path) -> Fit:
        fits = [self.fit(option, value, path) for option in wanted.options]
        good = [fit for fit in fits if not fit.problems]
        if good:
            return min(good, key=lambda fit: fit.changes)
        return Fit(value, problem_of_union(wanted, value, path, [fit.problems for fit in fits]))

    def _fit_object_like(self, wanted: ObjectOf, value: Any, path: Path) -> Fit:
        if isinstance(value, Mapping):
            return self.fit_object(wanted, dict(value), path, wanted.name or ".".join(map(str, path)))
        size = pairs_as_size(wanted, value) if isinstance(value, (list, tuple)) else size_from_text(wanted, value)
        if size is not None:
            fit = self.fit_object(wanted, size, path, wanted.name)
            fit.changes += 1
            return fit
        parts = ", ".join(part.name for part in wanted.fields)
        what = f"takes an object{f' with {parts}' if parts else ''}, not {show_value(value)}"
        return Fit(value, [Problem(path, what)])

    def _fit_list(self, wanted: ListOf, value: Any, path: Path) -> Fit:
        if not isinstance(value, (list, tuple)):
            single = self.fit(wanted.item, value, path)
            if single.problems:
                what = f"takes a {describe_type(wanted)}, not {show_value(value)}"
                return Fit(value, [Problem(path, what)] if not isinstance(value, Mapping) else single.problems)
            return self._sized(wanted, Fit([single.value], [], single.changes + 1), path)
        fit = Fit([])
        for index, inner in enumerate(value):
            part = self.fit(wanted.item, inner, (*path, index))
            fit.value.append(part.value)
            fit.problems += part.problems
            fit.changes += part.changes
        return self._sized(wanted, fit, path)

    def _sized(self, wanted: ListOf, fit: Fit, path: Path) -> Fit:
        count = len(fit.value)
        if wanted.min_items is not None and count < wanted.min_items:
            fit.problems.append(Problem(path, f"takes at least {wanted.min_items} items, not {count}"))
        if wanted.max_items is not None and count > wanted.max_items:
            fit.problems.append(Problem(path, f"takes at most {wanted.max_items} items, not {count}"))
        return fit

    def _fit_file(self, wanted: InputType, value: Any, path: Path) -> Fit:
        if isinstance(wanted, Anything) or (isinstance(wanted, Text) and (wanted.file or not _is_prose(path))):
            return Fit(value)
        return Fit(value, [Problem(path, f"takes {with_article(describe_type(wanted))}, not a file")])


def _fit_scalar(wanted: InputType, value: Any, path: Path) -> Fit:
    match wanted:
        case Number():
            found = fit_number(wanted, value, path)
        case Text():
            found = fit_text(wanted, value, path)
        case Choice():
            found = fit_choice(wanted, value, path)
        case Flag():
            found = fit_flag(value, path)
        case Nothing():
            found = value if value is None else Problem(path, f"takes null, not {show_value(value)}")
        case _:
            return Fit(value)
    if isinstance(found, Problem):
        return Fit(value, [found])
    return Fit(found, [], int(type(found) is not type(value) or found != value))


def _unknown_name(wanted: ObjectOf, name: str, given: Mapping[Any, JSON], path: Path, where: str) -> Problem:
    names = [part.name for part in wanted.fields]
    like = _OTHER_WORDS.get(name.lower())
    if like not in names:
        like = _part_of_one(wanted, name) or nearest(name, names)
    what = f"{where} has no such {'part' if path else 'input'}"
    if like in given:
        return Problem((*path, name), f"{what}, and {like} is given already")
    hint = f"did you mean {like}?" if like else f"it has {_listed(names)}" if names else "it takes none"
    return Problem((*path, name), f"{what}; {hint}", suggestion=like)


def _part_of_one(wanted: ObjectOf, name: str) -> str | None:
    """Return the dotted name of an object's part, where an unknown name is that of a part."""
    for outer in wanted.fields:
        options = outer.type.options if isinstance(outer.type, OneOf) else (outer.type,)
        for option in options:
            if isinstance(option, ObjectOf) and option.field(name) is not None:
                return f"{outer.name}.{name}"
    return None


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"


def _lacking(lacking: Field) -> str:
    return f"required; give {with_article(describe_type(lacking.type))}"


def _is_prose(path: Path) -> bool:
    """Return whether a text is written for its words, so that a URL in its place would be paid nonsense."""
    names = [part for part in path if isinstance(part, str)]
    last = names[-1].lower() if names else ""
    return last in {"prompt", "text", "negative_prompt", "lyrics"} or last.endswith(("_prompt", "_text"))
