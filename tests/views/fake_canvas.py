"""A canvas that calls nothing: it keeps what its view tells it."""

from pathlib import Path

from fal_nb.schemas.openapi import read_schema
from fal_nb.views.canvas_look import CanvasLook, ShownFrame

__all__ = ["FakeCanvas", "frame", "schema_of"]

PROPERTIES = {
    "prompt": {"type": "string", "title": "Prompt"},
    "image_url": {"type": "string", "title": "Image"},
    "strength": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.8},
    "mask_url": {"type": "string"},
}


def schema_of(properties=PROPERTIES, required=("prompt", "image_url")):
    inputs = {"type": "object", "properties": properties, "required": list(required)}
    body = {"content": {"application/json": {"schema": inputs}}}
    return read_schema("a/b", {"paths": {"/a/b": {"post": {"requestBody": body}}}})


def frame(number, page="p", input_number=1, data=b"\xff\xd8\xff jpeg"):
    return ShownFrame(number, page, input_number, data, "image/jpeg", 20.0)


class FakeCanvas:
    backend = "simulator"
    drawing_input = "image_url"
    size = (512, 512)

    def __init__(self, schema=None, look=None, folder=Path()):
        self.schema = schema or schema_of()
        self.input_folder = folder
        self.now = look or CanvasLook(idle_s=45, most_in_flight=2)
        self.values = {"prompt": "a fox"}
        self.newest = None
        self.start_picture = (0, None)
        self.picture = None
        self.told = []

    def look(self):
        return self.now

    def thumbnail(self):
        return self.picture

    def take(self, view, page, number, values, drawing):
        self.values = self.values if values is None else values
        self.told.append(("take", page, number, values, drawing))

    def __getattr__(self, name):
        if name not in {"pause", "go", "end", "pin_frame", "rate_pin", "start_from", "shown", "left"}:
            raise AttributeError(name)
        return lambda *words: self.told.append((name, *words))
