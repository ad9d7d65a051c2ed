"""The form: what a page fills in comes in, what it comes to goes out, and the calls it starts are shown below it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fal_nb.errors import FalError
from fal_nb.forms.fields import form_fields
from fal_nb.plain import one_line, plain_text
from fal_nb.views.answers import Answers
from fal_nb.views.form_files import IncomingFiles, small_picture
from fal_nb.views.form_look import FilledForm, FormLook
from fal_nb.views.form_state import exact, fields_state, problem_state, sound_values
from fal_nb.views.form_twin import form_text, form_twin
from fal_nb.views.view import Post, View

if TYPE_CHECKING:
    from anywidget import AnyWidget

    from fal_nb.views.card import CardView

__all__ = ["FormView"]

_MOST_CARDS = 4
_MOST_PROBLEMS = 30
_WORDS_CHARS = 400
_CELL_CHARS = 120_000
_ID_CHARS = 40
_QUIET_S = 3.0
_TOO_LONG = "What is filled in is too long for a form: give the path or the URL of a file."


class FormView(View):
    """A form as it is seen in a cell; it is the outlet of the cards below it."""

    name: ClassVar[str] = "form"
    sends_deltas: ClassVar[bool] = True

    def __init__(self, form: FilledForm) -> None:
        super().__init__()
        self._form = form
        self._fields = form_fields(form.schema)
        self._shown_fields, self._left_out = fields_state(self._fields)
        self._look: FormLook | None = None
        self._edit: tuple[str, int] = ("", 0)
        self._looked: tuple[str, int] = ("", 0)
        self._error = ""
        self._is_starting = False
        self._edited_at: float | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._cards: list[CardView] = []
        self._files: IncomingFiles | None = None
        self._looking: asyncio.Task[None] | None = None
        self._answers = Answers("form")

    @property
    def is_settled(self) -> bool:
        """Whether no call that it started goes on."""
        return not self._is_starting and all(card.is_settled for card in self._cards)

    def prepare(self) -> None:
        """Look at the values once, so that twin and text say what they come to; blocks, not on the loop's thread."""
        self._look = self._form.look()

    def close(self) -> None:
        """Let the cards go, and what is under way from the page."""
        super().close()
        if self._settling is not None:
            self._settling.cancel()
        for card in self._cards:
            card.close()
        if self._files is not None:
            self._files.close()

    def state(self) -> dict[str, Any]:
        """Return what the page needs: the fields and values as JSON texts, each card under a key of its own."""
        look = self._look or FormLook()
        cell = exact(look.cell)
        state: dict[str, Any] = {
            "view": self.id,
            "endpoint": one_line(self._form.schema.endpoint, 300),
            "category": one_line(self._form.schema.category, 100),
            "backend": self._form.backend,
            "fields": self._shown_fields,
            "left_out": self._left_out,
            "values": exact(self._form.values),
            "edit": list(self._edit),
            "looked": list(self._looked) if self._look is not None else None,
            "problems": [problem_state(problem) for problem in look.problems[:_MOST_PROBLEMS]],
            # What is copied must be what runs, so that a cell with anything unfit in it travels escaped.
            "cell": cell if len(cell) <= _CELL_CHARS else exact(""),
            "price": one_line(look.price, _WORDS_CHARS),
            "error": one_line(self._error or look.error, _WORDS_CHARS),
            "is_starting": self._is_starting,
            "cards": [card.id for card in self._cards],
        }
        return state | {f"card:{card.id}": card.state() for card in self._cards}

    def twin(self) -> str:
        """Return the inputs as a table with the cell to copy, and the cards' twins below it."""
        cards = [card.twin() for card in self._cards]
        return form_twin(self._form.schema.endpoint, self._fields, self._form.values, self._look, cards)

    def text(self) -> str:
        """Return the same as text."""
        cards = [card.text() for card in self._cards]
        return form_text(self._form.schema.endpoint, self._fields, self._form.values, self._look, cards)

    def receive(self, content: Mapping[str, Any]) -> None:
        """Take in an edit, a click or a part of a file; anything else is ignored."""
        match content.get("kind"):
            case "edit":
                self._edited_at = asyncio.get_running_loop().time()
                self._take(content)
            case "run" if not self._is_starting and self._take(content):
                self._is_starting = True
                self._error = ""
                self._changed()
                self._answers.start(self._run())
            case "file":
                self._answers.start(self._incoming().receive(content))
            case "preview":
                self._answers.start(self._send_preview(content.get("value")))
            case "card":
                self._to_card(content)
            case _:
                pass

    # -- what is filled in -------------------------------------------------------------------------------

    def filled(self) -> None:
        """Show values that the notebook or another view has filled in; on the loop's thread."""
        self._edit = ("", self._edit[1] + 1)
        if self.outlet is not None:
            self._look_again()
            self._changed()

    def _take(self, content: Mapping[str, Any]) -> bool:
        """Take over the values of a page, and say whether they were sound."""
        values = sound_values(content.get("values"))
        page, number = content.get("page"), content.get("edit")
        if values is None or not isinstance(page, str) or not isinstance(number, int) or len(page) > _ID_CHARS:
            self._error = _TOO_LONG
            self._changed()
            return False
        self._form.fill(values, self)
        self._edit = (one_line(page, _ID_CHARS), number)
        self._error = ""
        self._look_again()
        return True

    def _look_again(self) -> None:
        """See to it that the newest values are looked at; while one look goes on, one more follows it."""
        if self._looking is None or self._looking.done():
            self._looking = self._answers.start(self._keep_looking())

    async def _keep_looking(self) -> None:
        while True:
            edit = self._edit
            self._look = await asyncio.to_thread(self._form.look)
            self._looked = edit
            self._changed()
            if edit == self._edit:
                return

    # -- calls -------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            card = await asyncio.to_thread(self._form.start)
        except FalError as error:
            self._error = str(error)
        else:
            card.outlet = _Below(self, self._changed, self._settle, self._post)
            self._cards.insert(0, card)
            for old in self._cards[_MOST_CARDS:]:
                old.close()
            del self._cards[_MOST_CARDS:]
            self._settle()
        finally:
            self._is_starting = False
            self._changed()

    def _settle(self) -> None:
        """Bring the twin up to date, but not under somebody's typing: the front end puts a new output in its place."""
        loop = asyncio.get_running_loop()
        wait = 0.0 if self._edited_at is None else self._edited_at + _QUIET_S - loop.time()
        if wait <= 0:
            self._changed(settled=True)
        elif self._settling is None or self._settling.when() <= loop.time():
            self._settling = loop.call_later(wait, self._settle)

    def _to_card(self, content: Mapping[str, Any]) -> None:
        inner = content.get("content")
        for card in self._cards:
            if card.id == content.get("card") and isinstance(inner, dict):
                card.receive(inner)

    # -- files -------------------------------------------------------------------------------------------

    def _incoming(self) -> IncomingFiles:
        if self._files is None:
            self._files = IncomingFiles(self._form.input_folder, self._post)
        return self._files

    async def _send_preview(self, value: object) -> None:
        """Answer with a small picture of a local file, where it is a picture."""
        if not isinstance(value, str) or not value.startswith("@") or len(value) > _WORDS_CHARS:
            return
        data = await asyncio.to_thread(small_picture, Path(value[1:].strip()))
        self._post({"kind": "preview", "value": plain_text(value), "found": data is not None}, data)


class _Below:
    """The outlet of a card below the form: what it says goes out as the form's own."""

    def __init__(self, form: FormView, changed: Callable[[], None], settle: Callable[[], None], post: Post) -> None:
        self._form = form
        self._changed = changed
        self._settle = settle
        self._post = post

    def changed(self, view: View, *, settled: bool) -> None:
        """Pass on that a card has changed; the form's twin is brought up to date when its job has ended."""
        self._changed()
        if settled and view.is_settled:
            self._settle()

    def post(self, view: View, content: Mapping[str, Any], buffer: bytes | None) -> None:
        """Pass a card's message on to the page."""
        self._post({"kind": "card", "card": view.id, "content": content}, buffer)

    def frame(self, view: View, content: Mapping[str, Any], buffer: bytes) -> None:
        """Send nothing: a card has no live pictures."""

    def widget(self, view: View) -> AnyWidget:
        """Return the form's widget: its cards have none of their own."""
        del view
        return self._form.widget
