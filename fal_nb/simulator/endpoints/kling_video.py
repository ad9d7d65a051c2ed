"""Kling 3.0: films from text, and from a picture. Source: their fal.ai ``llms.txt`` pages; fal-js endpoint types."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel

from fal_nb.simulator.endpoints.detail import field_error
from fal_nb.simulator.endpoints.endpoint import EndpointFailure, Plan, Price, SimulatedEndpoint, Studio
from fal_nb.simulator.endpoints.inputs import fetch_picture
from fal_nb.simulator.endpoints.outputs import publish_file
from fal_nb.simulator.endpoints.shapes import IMAGE_FIELD, File, field, optional_field
from fal_nb.simulator.media.film import Shot, make_film, make_film_from
from fal_nb.simulator.media.look import seeded

__all__ = ["KlingImageToVideo", "KlingTextToVideo"]

_Seconds: TypeAlias = Literal["3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"]
_ShotSeconds: TypeAlias = Literal["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"]
_Ratio: TypeAlias = Literal["16:9", "9:16", "1:1"]
_SILENT_PRICE = 0.112
_SOUND_PRICE = 0.168


class KlingV3MultiPromptElement(BaseModel):
    """One shot of several."""

    prompt: str = field(..., "The prompt of this shot.")
    duration: _ShotSeconds = field("5", "The duration of this shot in seconds.")


class KlingV3ProTextToVideoInput(BaseModel):
    """Arguments of fal-ai/kling-video/v3/pro/text-to-video, in display order."""

    prompt: str | None = optional_field(
        "Text prompt for video generation. Either prompt or multi_prompt must be given, but not both.",
        examples=["A sailing boat rounds a lighthouse at sunset"],
    )
    duration: _Seconds = field("5", "The duration of the generated video in seconds.")
    multi_prompt: list[KlingV3MultiPromptElement] | None = optional_field("Prompts of several shots, one each.")
    generate_audio: bool = field(True, "Whether to generate native audio for the video.")
    shot_type: Literal["customize", "intelligent"] = field("customize", "How several shots are made.")
    aspect_ratio: _Ratio = field("16:9", "The aspect ratio of the generated video frame.")
    negative_prompt: str = field("blur, distort, and low quality", "What the video should not show.")
    cfg_scale: float = field(0.5, "How close the model should stick to the prompt.", ge=0, le=1)


class KlingV3ProTextToVideoOutput(BaseModel):
    """What it answers."""

    video: File = field(..., "The generated video.")


class KlingV3ComboElementInput(BaseModel):
    """Somebody or something to appear, named ``@Element1`` and on in the prompt; without effect on what is drawn."""

    frontal_image_url: str | None = optional_field("The frontal image of the element.", json_schema_extra=IMAGE_FIELD)
    reference_image_urls: list[str] | None = optional_field(
        "Further images of the element, 1 to 3.", min_length=1, max_length=3
    )
    video_url: str | None = optional_field("A video of the element; at most one element may have one.")
    voice_id: str | None = optional_field("The voice of the element.")


class KlingV3ProImageToVideoInput(BaseModel):
    """Arguments of fal-ai/kling-video/v3/pro/image-to-video, in display order."""

    prompt: str | None = optional_field(
        "Text prompt for video generation. Either prompt or multi_prompt must be given, but not both.",
        examples=["The boat turns towards the harbour"],
    )
    multi_prompt: list[KlingV3MultiPromptElement] | None = optional_field("Prompts of several shots, one each.")
    start_image_url: str = field(..., "URL of the image the video begins with.", json_schema_extra=IMAGE_FIELD)
    duration: _Seconds = field("5", "The duration of the generated video in seconds.")
    generate_audio: bool = field(True, "Whether to generate native audio for the video.")
    end_image_url: str | None = optional_field("URL of the image the video ends with.", json_schema_extra=IMAGE_FIELD)
    elements: list[KlingV3ComboElementInput] | None = optional_field("Characters or objects to appear in the video.")
    shot_type: str = field("customize", "How several shots are made.", examples=["customize", "intelligent"])
    negative_prompt: str = field("blur, distort, and low quality", "What the video should not show.")
    cfg_scale: float = field(0.5, "How close the model should stick to the prompt.", ge=0, le=1)


class KlingTextToVideo(SimulatedEndpoint):
    """Films with sound."""

    endpoint_id: ClassVar[str] = "fal-ai/kling-video/v3/pro/text-to-video"
    title: ClassVar[str] = "Kling 3.0 Pro Text to Video"
    category: ClassVar[str] = "text-to-video"
    description: ClassVar[str] = "Films of 3 to 15 seconds from text, with sound."
    input_model: ClassVar[type[BaseModel]] = KlingV3ProTextToVideoInput
    output_model: ClassVar[type[BaseModel]] = KlingV3ProTextToVideoOutput
    price: ClassVar[Price] = Price("seconds", _SILENT_PRICE)

    def plan(self, arguments: Any, studio: Studio) -> Plan:
        """Return a time that grows with the film's length."""
        del studio
        seconds = sum(shot.seconds for shot in _shots(arguments))
        return Plan(3.5 + 0.5 * seconds, steps=max(10, seconds * 4), opening=("Preparing the scene",))

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Make the film and put it on the CDN."""
        seed = int(seeded("film", arguments.model_dump_json()).integers(2**31))
        data = make_film(
            _shots(arguments),
            arguments.aspect_ratio,
            seed,
            with_sound=arguments.generate_audio,
            cancelled=studio.cancelled,
        )
        return {"video": publish_file(studio, data, "video/mp4", "output.mp4")}

    def units(self, arguments: Any, result: dict[str, Any], inference_s: float) -> float:
        """Return seconds of film; sound makes a second worth one and a half."""
        del result, inference_s
        seconds = sum(shot.seconds for shot in _shots(arguments))
        return seconds * (_SOUND_PRICE / _SILENT_PRICE if arguments.generate_audio else 1.0)


class KlingImageToVideo(KlingTextToVideo):
    """The same films, which begin with a picture and keep its proportions."""

    endpoint_id: ClassVar[str] = "fal-ai/kling-video/v3/pro/image-to-video"
    title: ClassVar[str] = "Kling 3.0 Pro Image to Video"
    category: ClassVar[str] = "image-to-video"
    description: ClassVar[str] = "Films of 3 to 15 seconds from a picture, with sound."
    input_model: ClassVar[type[BaseModel]] = KlingV3ProImageToVideoInput

    def generate(self, arguments: Any, studio: Studio) -> dict[str, Any]:
        """Make the film and put it on the CDN."""
        shots = _shots(arguments)
        elements = arguments.elements or []
        if sum(element.video_url is not None for element in elements) > 1:
            message = "At most one element may have a video"
            raise EndpointFailure(422, field_error("elements", "value_error", message))
        first, _ = fetch_picture(studio, arguments.start_image_url, "start_image_url")
        last = None
        if arguments.end_image_url:
            last, _ = fetch_picture(studio, arguments.end_image_url, "end_image_url")
        seed = int(seeded("film", arguments.model_dump_json()).integers(2**31))
        data = make_film_from(first, last, shots, seed, with_sound=arguments.generate_audio, cancelled=studio.cancelled)
        return {"video": publish_file(studio, data, "video/mp4", "output.mp4")}


def _shots(arguments: Any) -> list[Shot]:
    """Return the shots asked for.

    Raises
    ------
    EndpointFailure
        422 where there is neither a prompt nor a list of them, or both.
    """
    if bool(arguments.prompt) == bool(arguments.multi_prompt):
        message = "Either prompt or multi_prompt must be given, but not both"
        raise EndpointFailure(422, field_error("prompt", "value_error", message, arguments.prompt))
    if arguments.prompt:
        return [Shot(arguments.prompt, int(arguments.duration))]
    return [Shot(part.prompt, int(part.duration)) for part in arguments.multi_prompt]
