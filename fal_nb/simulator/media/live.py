"""Pictures at interactive speed: a scene is painted once, small, and every drawing is laid under it anew."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from PIL import Image

from fal_nb.simulator.media.picture import PictureSpec, finish, paint_scene

__all__ = ["LivePainter"]

_MOST_SIDE = 384
_KEPT = 8


class LivePainter:
    """Paints the frames of one session, one at a time; the same arguments give the same picture."""

    def __init__(self) -> None:
        self._scenes: OrderedDict[PictureSpec, Image.Image] = OrderedDict()

    def paint(self, spec: PictureSpec) -> Image.Image:
        """Return the picture of one frame."""
        return finish(self._scene(spec), spec)

    def _scene(self, spec: PictureSpec) -> Image.Image:
        factor = max(1.0, max(spec.width, spec.height) / _MOST_SIDE)
        small = (max(1, round(spec.width / factor)), max(1, round(spec.height / factor)))
        key = replace(spec, source=None, strength=1.0)
        scene = self._scenes.pop(key, None)
        if scene is None:
            scene = paint_scene(replace(key, width=small[0], height=small[1]))
            if scene.size != (spec.width, spec.height):
                scene = scene.resize((spec.width, spec.height), Image.Resampling.BICUBIC)
        self._scenes[key] = scene
        while len(self._scenes) > _KEPT:
            self._scenes.popitem(last=False)
        return scene.copy()
