"""Header names of fal's gateway. Source: fal docs "Platform Headers", fal-client 1.0.3 ``_headers.py``."""

from __future__ import annotations

__all__ = [
    "BILLABLE_UNITS",
    "ERROR_TYPE",
    "FILE_NAME",
    "HINT",
    "NEEDS_RETRY",
    "PRIORITY",
    "REQUEST_ID",
    "RETRYABLE",
    "START_TIMEOUT",
    "START_TIMEOUT_OLD",
    "TARGET_URL",
    "TIMEOUT_TYPE",
]

BILLABLE_UNITS = "x-fal-billable-units"
"""Units charged, already in the priced unit; multiply by the unit price."""
REQUEST_ID = "x-fal-request-id"
"""Its presence marks an answer from fal itself rather than from the ingress in front of it."""
ERROR_TYPE = "x-fal-error-type"
TIMEOUT_TYPE = "x-fal-request-timeout-type"
NEEDS_RETRY = "x-fal-needs-retry"
RETRYABLE = "x-fal-retryable"
START_TIMEOUT = "x-fal-request-start-timeout"
START_TIMEOUT_OLD = "x-fal-request-timeout"
PRIORITY = "x-fal-queue-priority"
HINT = "x-fal-runner-hint"
FILE_NAME = "x-fal-file-name"
TARGET_URL = "x-fal-target-url"
"""Where a proxy should send the request. Source: fal-js ``libs/proxy``."""
