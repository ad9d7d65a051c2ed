"""``ModelList``: models that were found, as a list, as a DataFrame and as something to look through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from fal_nb.catalogue.search import facets_of
from fal_nb.plain import one_line
from fal_nb.views.models_twin import models_html, models_text

if TYPE_CHECKING:
    import pandas as pd

    from fal_nb.catalogue.model import Model
    from fal_nb.views.models import ModelsView

__all__ = ["ModelList"]


class ModelList(Sequence["Model"]):
    """Models in the order that was asked for; ``models["fal-ai/flux/dev"]`` is one of them by its endpoint.

    Attributes
    ----------
    note
        What there is to say of where they come from: that fal could not be asked, and how old they are. Or empty.
    is_simulated
        Whether they are the simulator's.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        note: str = "",
        is_simulated: bool = False,
        make_view: Callable[[], ModelsView] | None = None,
        show: Callable[[ModelsView], object] | None = None,
    ) -> None:
        self._models = tuple(models)
        self._make_view = make_view
        self._show = show
        self.note = note
        self.is_simulated = is_simulated

    @cached_property
    def view(self) -> ModelsView | None:
        """The same to be looked through: ``models.view.widget`` goes into layouts of your own. None of a part of it."""
        return None if self._make_view is None else self._make_view()

    @property
    def endpoints(self) -> list[str]:
        """Their endpoints."""
        return [model.endpoint for model in self._models]

    @property
    def facets(self) -> dict[str, dict[str, int]]:
        """What they can be told apart by: ``category status tags kind license``, each value with how many have it."""
        return {name: dict(counts) for name, counts in facets_of(self._models).items()}

    @property
    def frame(self) -> pd.DataFrame:
        """The same as a DataFrame, a row a model."""
        import pandas as pd  # noqa: PLC0415 - takes a while, and only who asks for it waits

        return pd.DataFrame([_row(model) for model in self._models], columns=_COLUMNS)

    def __len__(self) -> int:
        return len(self._models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models)

    def __contains__(self, value: object) -> bool:
        return value in self._models or any(model.endpoint == value for model in self._models)

    @overload
    def __getitem__(self, at: int | str) -> Model: ...

    @overload
    def __getitem__(self, at: slice) -> ModelList: ...

    def __getitem__(self, at: int | str | slice) -> Model | ModelList:
        if isinstance(at, slice):
            return ModelList(self._models[at], note=self.note, is_simulated=self.is_simulated)
        if isinstance(at, str):
            found = next((model for model in self._models if model.endpoint == at), None)
            if found is None:
                raise KeyError(one_line(at, 120))
            return found
        return self._models[at]

    def __repr__(self) -> str:
        return models_text(self._models, note=self.note, is_simulated=self.is_simulated)

    def _repr_html_(self) -> str:
        return models_html(self._models, note=self.note, is_simulated=self.is_simulated)

    def _ipython_display_(self) -> None:
        if self.view is not None and self._show is not None:
            self._show(self.view)
            return
        from IPython.display import display  # noqa: PLC0415 - only inside IPython

        display({"text/html": self._repr_html_(), "text/plain": repr(self)}, raw=True)


_COLUMNS = [
    "endpoint", "name", "category", "status", "tags", "kind", "license", "created", "updated", "streams",
    "duration_min", "description",
]  # fmt: skip


def _row(model: Model) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(model, name) for name in _COLUMNS}
    return {**values, "tags": list(model.tags), "created": _moment(model.created), "updated": _moment(model.updated)}


def _moment(at: float | None) -> datetime | None:
    try:
        return None if at is None else datetime.fromtimestamp(at, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
