"""Solids from pictures: Trellis and Hunyuan3D. Source: ``llms.txt`` of trellis; fal-js endpoint types.

The ranges of trellis-2 and hunyuan3d are from third-party tables, not confirmed.
"""

from __future__ import annotations

import io
from typing import Any, ClassVar, Literal

from PIL import Image as PillowImage
from pydantic import BaseModel

from fal_nb.simulator.endpoints import words
from fal_nb.simulator.endpoints.endpoint import Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.inputs import fetch_picture
from fal_nb.simulator.endpoints.outputs import publish_file
from fal_nb.simulator.endpoints.pictures import draw_seed
from fal_nb.simulator.endpoints.shapes import IMAGE_FIELD, File, field, optional_field
from fal_nb.simulator.media.mesh import make_relief

__all__ = ["Hunyuan3d", "Trellis", "Trellis2"]

_GLB = "model/gltf-binary"
_MOST_CELLS = 200
_IMAGE = "URL of the input image to convert to 3D"
_STEPS = "Sampling steps"
_TEXTURED_FACTOR = 3.0
_TRELLIS_2_UNITS = {512: 1.0, 1024: 1.2, 1536: 1.4}


class TrellisInput(BaseModel):
    """Arguments of fal-ai/trellis, in display order."""

    image_url: str = field(..., _IMAGE, json_schema_extra=IMAGE_FIELD)
    seed: int | None = optional_field(words.SEED)
    ss_guidance_strength: float = field(7.5, "Guidance strength for structure generation", ge=0, le=10)
    ss_sampling_steps: int = field(12, _STEPS, ge=1, le=50)
    slat_guidance_strength: float = field(3, "Guidance strength for latent generation", ge=0, le=10)
    slat_sampling_steps: int = field(12, _STEPS, ge=1, le=50)
    mesh_simplify: float = field(0.95, "Mesh simplification factor", ge=0.9, le=0.98)
    texture_size: Literal[512, 1024, 2048] = field(1024, "Texture resolution")


class TrellisOutput(BaseModel):
    """What it answers."""

    model_mesh: File = field(..., "Generated 3D mesh file")
    timings: dict[str, float] = field(..., "Processing timings")


class Trellis2Input(BaseModel):
    """Arguments of fal-ai/trellis-2, in a natural order: no source states the display order."""

    image_url: str = field(..., _IMAGE, json_schema_extra=IMAGE_FIELD)
    seed: int | None = optional_field(words.SEED)
    resolution: Literal[512, 1024, 1536] = field(1024, "Output resolution; higher is slower and costs more.")
    ss_guidance_strength: float = field(7.5, "Guidance of the structure", ge=0, le=10)
    ss_guidance_rescale: float = field(0.7, "Its rescaling", ge=0, le=1)
    ss_sampling_steps: int = field(12, _STEPS, ge=1, le=50)
    ss_rescale_t: float = field(5, "Its schedule", ge=1, le=6)
    shape_slat_guidance_strength: float = field(7.5, "Guidance of the shape", ge=0, le=10)
    shape_slat_guidance_rescale: float = field(0.5, "Its rescaling", ge=0, le=1)
    shape_slat_sampling_steps: int = field(12, _STEPS, ge=1, le=50)
    shape_slat_rescale_t: float = field(3, "Its schedule")
    tex_slat_guidance_strength: float = field(1, "Guidance of the texture", ge=0, le=10)
    tex_slat_guidance_rescale: float = field(0, "Its rescaling")
    tex_slat_sampling_steps: int = field(12, _STEPS, ge=1, le=50)
    tex_slat_rescale_t: float = field(3, "Its schedule")
    ss_guidance_interval_start: float = field(0.6, "Where guidance of the structure begins")
    ss_guidance_interval_end: float = field(1, "Where it ends")
    shape_slat_guidance_interval_start: float = field(0.6, "Where guidance of the shape begins")
    shape_slat_guidance_interval_end: float = field(1, "Where it ends")
    tex_slat_guidance_interval_start: float = field(0.6, "Where guidance of the texture begins")
    tex_slat_guidance_interval_end: float = field(0.9, "Where it ends")
    decimation_target: int = field(500000, "Number of triangles to keep")
    texture_size: Literal[1024, 2048, 4096] = field(2048, "Texture resolution")
    remesh: bool = field(True, "Whether the mesh is rebuilt")
    remesh_band: float = field(1, "How far the rebuilt mesh may lie from the first")
    remesh_project: float = field(0, "How far it is drawn back to the first")
    uv_unwrap_angle_threshold_deg: float = field(90, "Largest angle within a piece of the texture, in degrees")
    uv_unwrap_global_iterations: int = field(1, "Rounds over the whole")
    uv_unwrap_refine_iterations: int = field(0, "Rounds over each piece")
    uv_unwrap_smooth_strength: float = field(1, "How far borders are smoothed")


class Trellis2Output(BaseModel):
    """What it answers."""

    model_glb: File = field(..., "Generated 3D GLB file")


class Hunyuan3dInput(BaseModel):
    """Arguments of fal-ai/hunyuan3d/v2, in display order."""

    input_image_url: str = field(
        ..., "URL of image to use while generating the 3D model.", json_schema_extra=IMAGE_FIELD
    )
    seed: int | None = optional_field(words.SEED)
    num_inference_steps: int = field(50, words.STEPS, ge=1, le=50)
    guidance_scale: float = field(7.5, words.GUIDANCE, ge=0, le=20)
    octree_resolution: int = field(256, "Octree resolution for the model.", ge=1, le=1024)
    textured_mesh: bool = field(False, "If set true, textured mesh will be generated and the price charged is 3x.")


class Hunyuan3dOutput(BaseModel):
    """What it answers."""

    model_mesh: File = field(..., "Generated 3D object file.")
    seed: int = field(..., "Seed value used for generation.")


class Trellis(SimulatedEndpoint):
    """A relief of the picture; the more it is simplified, the fewer squares it has."""

    endpoint_id: ClassVar[str] = "fal-ai/trellis"
    title: ClassVar[str] = "Trellis"
    category: ClassVar[str] = "image-to-3d"
    description: ClassVar[str] = "Solids from pictures."
    input_model: ClassVar[type[BaseModel]] = TrellisInput
    output_model: ClassVar[type[BaseModel]] = TrellisOutput
    price: ClassVar[Price] = Price("generations", 0.02)

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with steps."""
        del studio
        return Plan(2.0 + 0.08 * (arguments.ss_sampling_steps + arguments.slat_sampling_steps))

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Make the solid and put it on the CDN."""
        cells = round(_MOST_CELLS * (1 - arguments.mesh_simplify) * 10)
        file = _solid(studio, arguments.image_url, "image_url", cells, arguments.texture_size)
        return {"model_mesh": file, "timings": {"inference": round(self.plan(arguments, studio).duration_s, 4)}}


class Trellis2(SimulatedEndpoint):
    """The same, priced by resolution."""

    endpoint_id: ClassVar[str] = "fal-ai/trellis-2"
    title: ClassVar[str] = "Trellis 2"
    category: ClassVar[str] = "image-to-3d"
    description: ClassVar[str] = "Finer solids from pictures."
    input_model: ClassVar[type[BaseModel]] = Trellis2Input
    output_model: ClassVar[type[BaseModel]] = Trellis2Output
    price: ClassVar[Price] = Price("generations", 0.25)

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with resolution."""
        del studio
        return Plan(3.0 * arguments.resolution / 512)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Make the solid and put it on the CDN."""
        cells = min(round(arguments.resolution / 8), int((max(8, arguments.decimation_target) / 4) ** 0.5))
        return {"model_glb": _solid(studio, arguments.image_url, "image_url", cells, arguments.texture_size)}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return 1 for the lowest resolution, more for the others."""
        del result, inference_s
        return _TRELLIS_2_UNITS[arguments.resolution]


class Hunyuan3d(SimulatedEndpoint):
    """White, or textured at three times the price."""

    endpoint_id: ClassVar[str] = "fal-ai/hunyuan3d/v2"
    title: ClassVar[str] = "Hunyuan3D"
    category: ClassVar[str] = "image-to-3d"
    description: ClassVar[str] = "Solids from pictures, white or textured."
    input_model: ClassVar[type[BaseModel]] = Hunyuan3dInput
    output_model: ClassVar[type[BaseModel]] = Hunyuan3dOutput
    price: ClassVar[Price] = Price("generations", 0.16)

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with steps."""
        del studio
        return Plan(2.0 + 0.06 * arguments.num_inference_steps, arguments.num_inference_steps)

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Make the solid and put it on the CDN."""
        texture = 1024 if arguments.textured_mesh else None
        cells = arguments.octree_resolution // 2
        file = _solid(studio, arguments.input_image_url, "input_image_url", cells, texture)
        return {"model_mesh": file, "seed": draw_seed(arguments.seed)}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return 1, or 3 with a texture."""
        del result, inference_s
        return _TEXTURED_FACTOR if arguments.textured_mesh else 1.0


def _solid(studio: Studio, url: str, name: str, cells: int, texture_size: int | None) -> dict[str, Any]:
    data, _ = fetch_picture(studio, url, name)
    with PillowImage.open(io.BytesIO(data)) as opened:
        glb = make_relief(opened.convert("RGB"), min(max(4, cells), _MOST_CELLS), texture_size)
    return publish_file(studio, glb, _GLB, "model.glb")
