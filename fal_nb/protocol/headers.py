"""Header names of fal's gateway. Source: fal docs "Platform Headers", fal-client 1.0.3 ``_headers.py``."""

from __future__ import annotations

__all__ = [
    "BILLABLE_UNITS",
    "DISABLE_FALLBACK",
    "ERROR_TYPE",
    "FILE_NAME",
    "HINT",
    "LIFECYCLE",
    "NEEDS_RETRY",
    "NO_RETRY",
    "PRIORITY",
    "REQUEST_ID",
    "RETRYABLE",
    "START_TIMEOUT",
    "START_TIMEOUT_OLD",
    "STORE_IO",
    "TAGS",
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
LIFECYCLE = "x-fal-object-lifecycle-preference"
"""How long generated files live. Source: fal docs "Platform Headers", as the five below."""
STORE_IO = "x-fal-store-io"
"""``0`` keeps input and output out of the account's list of requests."""
NO_RETRY = "x-fal-no-retry"
"""``1``: fal does not try again where a runner is lost."""
TAGS = "x-fal-tags"
"""``key=value,key=value``; pairs that are not allowed are dropped without a word."""
DISABLE_FALLBACK = "x-app-fal-disable-fallback"
"""``true``: no other model takes the place of one that fails."""
