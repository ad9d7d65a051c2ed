"""Completion in IPython: the matchers of 8.6 and newer, and what stands for them in older ones (Colab's 7.34)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from fal_nb.magics.completion.place import find_place

if TYPE_CHECKING:
    from fal_nb.magics.completion.known import Known
    from fal_nb.magics.completion.offers import Found
    from fal_nb.workbench import Workbench

__all__ = ["Completion"]

_log = logging.getLogger("fal_nb")
_IDENTIFIER = "fal_nb"
_FIRST = 1_000.0
_KEYS = ("%fal", "%%fal")
_ASSIGNED = r"[^=%]+=\s*%fal\s"


class Completion:
    """What completes ``%fal`` in one shell; the rest of it is loaded with the first key press that asks."""

    def __init__(self, shell: Any, get_bench: Callable[[], Workbench]) -> None:
        self._shell = shell
        self._get_bench = get_bench
        self._known: Known | None = None
        self._remove: Callable[[], None] | None = None

    def install(self) -> None:
        """Put it in its place; `remove` takes it out again."""
        completer = self._shell.Completer
        try:
            from IPython.core.completer import context_matcher  # noqa: PLC0415 - since IPython 8.6
        except ImportError:
            self._remove = self._install_old(completer)
            return

        # A function of its own: a bound method takes none of the attributes by which IPython knows a matcher.
        as_matcher: Any = context_matcher(identifier=_IDENTIFIER, priority=_FIRST)
        matcher = as_matcher(lambda context: self._match(context))  # noqa: PLW0108 - as said
        completer.custom_matchers.append(matcher)
        self._remove = lambda: completer.custom_matchers.remove(matcher)

    def remove(self) -> None:
        """Take it out of the shell."""
        if self._remove is not None:
            self._remove()
            self._remove = None

    def found(self, code: str, cursor: int) -> Found | None:
        """Return what is offered, or None where the cursor is not in ``%fal``; raises nothing."""
        try:
            place = find_place(code, cursor)
            if place is None:
                return None
            from fal_nb.magics.completion.answer import offers_at  # noqa: PLC0415 - with the first key press
            from fal_nb.magics.completion.known import Known  # noqa: PLC0415

            self._known = self._known or Known(self._get_bench)
            return offers_at(place, self._known, self._shell.user_ns)
        except Exception as error:  # noqa: BLE001 - a key press must never end in a traceback over the cell
            _log.debug("completion failed", exc_info=error)
            return None

    def _match(self, context: Any) -> dict[str, Any]:
        from IPython.core.completer import SimpleCompletion  # noqa: PLC0415 - since IPython 8.6

        lines = context.full_text.split("\n")
        cursor = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        found = self.found(context.full_text, cursor)
        if found is None or not found.offers:
            return {"completions": []}
        return {
            "completions": [SimpleCompletion(offer.text, type=offer.kind) for offer in found.offers],
            "matched_fragment": found.written,
            "suppress": True,
            "ordered": True,
        }

    def _install_old(self, completer: Any) -> Callable[[], None]:
        """Answer for whole cells before IPython does, and for single lines through its hook.

        IPython 7 hands its hooks one line and drops what does not begin with the word before the cursor, so that a
        body could not be told from Python, nor an endpoint be found by a part of its name.
        """
        from IPython.core.completer import Completion as Answer  # noqa: PLC0415

        completions = completer.completions

        def in_cells(text: str, offset: int) -> Iterator[Any]:
            found = self.found(text, offset)
            if found is None or not found.offers:
                yield from completions(text, offset)
                return
            start = offset - len(found.written)
            for offer in found.offers:
                yield Answer(start, offset, offer.text, type=offer.kind, _origin=_IDENTIFIER)

        completer.completions = in_cells
        for key in _KEYS:
            self._shell.set_hook("complete_command", self._in_line, str_key=key)
        self._shell.set_hook("complete_command", self._in_line, re_key=_ASSIGNED)

        def remove() -> None:
            del completer.completions
            hooks = self._shell.strdispatchers["complete_command"]
            for key in _KEYS:
                hooks.strs.pop(key, None)
            hooks.regexs.pop(re.compile(_ASSIGNED), None)

        return remove

    def _in_line(self, _shell: Any, event: Any) -> list[str]:
        """Return what may stand in the place of ``event.symbol``, which is shorter than what an offer replaces."""
        text = event.text_until_cursor
        found = self.found(text, len(text))
        if found is None:
            return []
        cut = len(found.written) - len(event.symbol)
        head = found.written[: max(cut, 0)]
        lead = event.symbol[: max(-cut, 0)]
        return [lead + offer.text[len(head) :] for offer in found.offers if offer.text.startswith(head)]
