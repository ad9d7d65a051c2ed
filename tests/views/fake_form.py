"""A form that calls nothing: its schema, check and cell are real."""

from pathlib import Path

from fal_nb.errors import FalError
from fal_nb.forms.values import arguments_of
from fal_nb.magics.format import format_line
from fal_nb.schemas.check import check_arguments
from fal_nb.views.form_look import FormLook

__all__ = ["FakeForm"]


class FakeForm:
    backend = "simulator"

    def __init__(self, schema, folder=Path(), card=None, price="0.025 USD"):
        self.schema, self.input_folder, self._card, self._price = schema, folder, card, price
        self.values = {}
        self.looks = 0

    def fill(self, values, by=None):
        self.values = dict(values)

    def look(self):
        self.looks += 1
        arguments = arguments_of(self.schema, self.values)
        checked = check_arguments(self.schema, arguments, is_file=lambda value: isinstance(value, Path))
        try:
            cell = format_line("run", self.schema.endpoint, arguments, self.schema)
        except FalError as error:
            return FormLook(problems=checked.problems, error=str(error))
        return FormLook(cell, checked.problems, self._price)

    def start(self):
        if self._card is None:
            raise FalError("The budget of 1 USD does not hold another 2 USD.")
        return self._card()
