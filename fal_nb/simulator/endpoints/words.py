"""How fields that many endpoints have are described."""

from __future__ import annotations

__all__ = ["ACCELERATION", "COUNT", "FORMAT", "GUIDANCE", "PROMPT", "SAFETY", "SEED", "SIZE", "STEPS", "SYNC"]

ACCELERATION = "The speed of the generation. The higher the speed, the faster the generation."
COUNT = "The number of images to generate."
FORMAT = "The format of the generated image."
GUIDANCE = "How close the model should stick to the prompt when looking for a related image to show."
PROMPT = "The prompt to generate an image from."
SAFETY = "If set to true, the safety checker will be enabled."
SEED = "The same seed and the same prompt given to the same version of the model output the same image every time."
SIZE = "The size of the generated image."
STEPS = "The number of inference steps to perform."
SYNC = "If true, the media is returned as a data URI and the result is kept out of the request history."
