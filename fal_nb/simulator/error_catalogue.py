"""The error types fal documents, with their HTTP status and an example of what each carries."""

from __future__ import annotations

from typing import Any

__all__ = ["MODEL_ERRORS", "REQUEST_ERRORS", "RETRYABLE_REQUEST_ERRORS"]

REQUEST_ERRORS: dict[str, int] = {
    "request_timeout": 504,
    "startup_timeout": 504,
    "runner_scheduling_failure": 503,
    "runner_connection_timeout": 503,
    "runner_disconnected": 503,
    "runner_connection_refused": 503,
    "runner_connection_error": 503,
    "runner_incomplete_response": 502,
    "runner_server_error": 500,
    "internal_error": 500,
    "client_disconnected": 499,
    "client_cancelled": 499,
    "bad_request": 400,
}
"""Failures of the infrastructure. Source: fal docs "Request Error Types"."""

RETRYABLE_REQUEST_ERRORS = frozenset(name for name, status in REQUEST_ERRORS.items() if 502 <= status <= 504)

_Catalogue = dict[str, tuple[int, str, dict[str, Any]]]

MODEL_ERRORS: _Catalogue = {
    "internal_server_error": (500, "Internal server error", {}),
    "generation_timeout": (504, "The generation took too long", {}),
    "downstream_service_error": (400, "A service this endpoint depends on refused the request", {}),
    "downstream_service_unavailable": (500, "A service this endpoint depends on is not available", {}),
    "content_policy_violation": (422, "The content was refused by the content policy", {}),
    "no_media_generated": (422, "No media was generated", {}),
    "image_too_small": (422, "The image is too small", {"min_height": 256, "min_width": 256}),
    "image_too_large": (422, "The image is too large", {"max_height": 4096, "max_width": 4096}),
    "image_load_error": (422, "The image could not be loaded", {}),
    "file_download_error": (422, "The file could not be downloaded", {}),
    "face_detection_error": (422, "No face was found in the image", {}),
    "file_too_large": (422, "The file is too large", {"max_size": 10485760}),
    "greater_than": (422, "Input should be greater than 0", {"gt": 0}),
    "greater_than_equal": (422, "Input should be greater than or equal to 1", {"ge": 1}),
    "less_than": (422, "Input should be less than 50", {"lt": 50}),
    "less_than_equal": (422, "Input should be less than or equal to 50", {"le": 50}),
    "multiple_of": (422, "Input should be a multiple of 8", {"multiple_of": 8}),
    "sequence_too_short": (422, "The list is too short", {"min_length": 1}),
    "sequence_too_long": (422, "The list is too long", {"max_length": 4}),
    "one_of": (422, "The value is none of those allowed", {"expected": ["first", "second"]}),
    "feature_not_supported": (422, "This combination of arguments is not supported", {}),
    "invalid_archive": (422, "The archive cannot be read", {"supported_extensions": [".zip"]}),
    "archive_file_count_below_minimum": (
        422,
        "The archive holds too few files",
        {"min_count": 4, "provided_count": 1, "supported_extensions": [".png", ".jpg"]},
    ),
    "archive_file_count_exceeds_maximum": (
        422,
        "The archive holds too many files",
        {"max_count": 100, "provided_count": 101, "supported_extensions": [".png", ".jpg"]},
    ),
    "audio_duration_too_long": (422, "The audio is too long", {"max_duration": 60, "provided_duration": 75.5}),
    "audio_duration_too_short": (422, "The audio is too short", {"min_duration": 1, "provided_duration": 0.4}),
    "video_duration_too_long": (422, "The video is too long", {"max_duration": 10, "provided_duration": 12.5}),
    "video_duration_too_short": (422, "The video is too short", {"min_duration": 2, "provided_duration": 1.5}),
    "unsupported_audio_format": (422, "This audio format is not supported", {"supported_formats": ["mp3", "wav"]}),
    "unsupported_image_format": (422, "This image format is not supported", {"supported_formats": ["png", "jpeg"]}),
    "unsupported_video_format": (422, "This video format is not supported", {"supported_formats": ["mp4"]}),
}
"""Failures of an endpoint: status, message, example of ``ctx``. Source: fal docs "Model Errors"."""
