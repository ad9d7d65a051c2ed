"""What a person sees of an error: one line and the next step; ``%tb`` shows the rest."""

from __future__ import annotations

import traceback

from fal_nb.errors import AuthenticationError, FalError, NotFoundError

__all__ = ["MagicFailure", "MagicStopped"]


_ADVICE: dict[type[FalError], str] = {
    AuthenticationError: " `%fal config` says where the key comes from.",
    NotFoundError: " Check the endpoint's id, or the request's.",
}


class _Short(Exception):  # noqa: N818 - what is shown is a failure of the cell, not an error of this class
    """Renders itself in one line the first time, and in full when asked again.

    IPython calls ``_render_traceback_`` where an exception has it. Raising its own ``UsageError`` would hide the
    traceback for good, from ``%tb`` too.
    """

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self._shown = False

    def _render_traceback_(self) -> list[str]:
        if not self._shown or self.__cause__ is None:
            self._shown = True
            return [str(self)]
        cause = self.__cause__
        return "".join(traceback.format_exception(type(cause), cause, cause.__traceback__)).splitlines()


class MagicFailure(_Short):
    """A call that went wrong; stops the cells behind it, too."""

    @classmethod
    def of(cls, error: FalError, also: str = "") -> MagicFailure:
        """Return the short form of one of our errors; `also` is a sentence on what the line leaves unsaid."""
        said = str(error)
        has_advice = said.endswith("?") or "`%fal" in said
        said += "" if has_advice else _ADVICE.get(type(error), "")
        if also:
            said += f"\n  {also}" if "\n" in said else f"{'' if said.endswith(('.', '?')) else '.'} {also}"
        return cls(f"{type(error).__name__}: {said}")


class MagicStopped(_Short):
    """The person pressed Stop."""
