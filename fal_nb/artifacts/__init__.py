"""Artifacts: the media found in a result, stored by content digest, with a thumbnail each."""

from __future__ import annotations

from fal_nb.artifacts.artifact import Artifact

__all__ = ["Artifact"]
