"""``FalMagics``: ``%fal`` and ``%%fal`` in IPython, with their options as traitlets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Bool, Dict, Enum, Float, TraitError, Unicode, default, observe, validate

from fal_nb import kernel_loop
from fal_nb.errors import FalError
from fal_nb.magics.completion.hooks import Completion
from fal_nb.magics.failure import MagicFailure
from fal_nb.plain import one_line
from fal_nb.workbench import Workbench, current

__all__ = ["FalMagics"]


@magics_class
class FalMagics(Magics):
    """Options of ``%fal``; ``%config FalMagics.NAME = VALUE`` sets one, ``%fal config`` shows what is in force."""

    embed_media = Bool(
        False, help="Put the media themselves into outputs, not only thumbnails: for exports, it makes notebooks large."
    ).tag(config=True)

    memo = Enum(
        ["off", "reuse", "refresh"],
        "off",
        help="What run and submit do about an equal call in the history: off calls and says where it is, reuse "
        "answers from it and sends nothing (Restart & Run All is free then), refresh calls in any case.",
    ).tag(config=True)
    budget = Float(
        None,
        allow_none=True,
        min=0.0,
        help="What the calls of this notebook's kernel may cost together, in US dollars.",
    ).tag(config=True)
    daily_budget = Float(
        None,
        allow_none=True,
        min=0.0,
        help="What the calls of all kernels may cost in one local day, in US dollars; kept on disk.",
    ).tag(config=True)

    event_loop = Enum(
        ["thread", "kernel"],
        "thread",
        help="Where a blocking call has async callbacks and scorers run: thread gives them a loop of their own, "
        "kernel the kernel's, whose objects they can use then; that one patches asyncio in the whole process for good.",
    ).tag(config=True)

    aliases = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="Short names of endpoints, each with what it stands for: the endpoint, and inputs that are sent along "
        "unless the line says otherwise, as in {'draft': 'fal-ai/flux/schnell num_inference_steps=4'}.",
    ).tag(config=True)

    replaced: dict[str, Any]
    """What ``%fal`` and ``%%fal`` were before, by kind; put back when the extension is unloaded."""

    take_question_away: Callable[[], None]
    """Undoes what makes ``%fal run?`` help."""

    def __init__(self, shell: Any = None, **kwargs: Any) -> None:
        super().__init__(shell=shell, **kwargs)
        self.completion = Completion(shell, lambda: self.bench)

    @property
    def bench(self) -> Workbench:
        """The session and the display of this kernel."""
        return current()

    @observe("embed_media")
    def _embed_media_changed(self, change: Any) -> None:
        self.bench.embed_media = bool(change["new"])

    @observe("memo")
    def _memo_changed(self, change: Any) -> None:
        self.bench.session.memo = change["new"]

    @default("budget")
    def _budget_in_force(self) -> float | None:
        return self.bench.session.budget

    @default("daily_budget")
    def _daily_budget_in_force(self) -> float | None:
        return self.bench.session.daily_budget

    @observe("budget")
    def _budget_changed(self, change: Any) -> None:
        self.bench.session.budget = change["new"]

    @observe("daily_budget")
    def _daily_budget_changed(self, change: Any) -> None:
        self.bench.session.daily_budget = change["new"]

    @default("aliases")
    def _aliases_in_force(self) -> dict[str, str]:
        return dict(self.bench.aliases)

    @validate("aliases")
    def _aliases_possible(self, proposal: Any) -> Any:
        from fal_nb.magics.aliases import check_alias  # noqa: PLC0415 - the parser is loaded at first use

        try:
            for name, line in proposal["value"].items():
                check_alias(name, line)
        except FalError as error:
            raise TraitError(str(error)) from None  # the one error after which the old value is put back
        return proposal["value"]

    @observe("aliases")
    def _aliases_changed(self, change: Any) -> None:
        self.bench.aliases = dict(change["new"])

    @validate("event_loop")
    def _event_loop_possible(self, proposal: Any) -> Any:
        # Before the value is taken: what cannot be had must not stand there as in force.
        if proposal["value"] == "kernel":
            try:
                kernel_loop.lend()
            except FalError as error:
                # The one kind of error after which traitlets puts the earlier value back.
                raise TraitError(str(error)) from None
        else:
            kernel_loop.give_back()
        return proposal["value"]

    @no_var_expand
    @line_cell_magic
    def fal(self, line: str, cell: str | None = None) -> Any:
        """Run hosted models: ``%fal run ENDPOINT prompt="…"``; ``%fal help`` lists everything."""
        from fal_nb.magics.arguments import read_arguments  # noqa: PLC0415 - the parser is loaded at first use
        from fal_nb.magics.handlers import Cell, handle  # noqa: PLC0415

        shell: Any = self.shell
        command = None
        try:
            # A bare %fal asks what there is.
            asked = line if line.strip() or cell is not None else "help"
            command = read_arguments(asked, cell, shell.user_ns, self.bench.aliases)
            result = handle(self.bench, command, Cell(shell.user_ns, _assigner(shell)))
        except FalError as error:
            raise MagicFailure.of(error, self._stands_for(command)) from error
        if self.aliases != self.bench.aliases:
            self.aliases = dict(self.bench.aliases)
        return result

    def _stands_for(self, command: Any) -> str:
        """Return what the short name in a call stands for: a mistake in it may be one that the cell does not show."""
        name = getattr(command, "short_name", "")
        return f"{name} stands for {one_line(self.bench.aliases.get(name, ''), 200)}." if name else ""


def _assigner(shell: Any) -> Any:
    return lambda name, value: shell.push({name: value})
