"""The documentation that the simulator can be asked: what fal's guides say of the things it simulates, in short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fal_nb.simulator.endpoints.endpoint import SimulatedEndpoint

__all__ = ["Page", "find_pages"]

_MOST = 6
_DOCS = "https://fal.ai/docs"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its title, where it is, and what it says."""

    title: str
    link: str
    content: str


_GUIDES = (
    Page(
        "Queue API",
        f"{_DOCS}/model-apis/model-endpoints/queue",
        "Submit a request, get a request id, follow its status (IN_QUEUE, IN_PROGRESS, COMPLETED) and read its result. "
        "COMPLETED also holds what failed: the result then answers with the error. A queued request is cancelled with "
        "PUT …/cancel. Status can be polled or streamed as server-sent events.",
    ),
    Page(
        "Synchronous requests",
        f"{_DOCS}/model-apis/model-endpoints/synchronous-requests",
        "fal.run answers with the result itself and keeps the connection open meanwhile. Nothing is queued, nothing "
        "can be cancelled, and over the account's concurrency limit the answer is 429.",
    ),
    Page(
        "Webhooks",
        f"{_DOCS}/model-apis/model-endpoints/webhooks",
        "With ?fal_webhook=URL on the submission fal reports the end of a request there. Deliveries are signed with "
        "Ed25519; the public keys are at /.well-known/jwks.json. Answer with 2xx quickly, and expect a delivery twice.",
    ),
    Page(
        "Streaming",
        f"{_DOCS}/model-apis/model-endpoints/streaming",
        "Endpoints that stream send partial results as server-sent events from …/stream; the last event is the result.",
    ),
    Page(
        "Realtime",
        f"{_DOCS}/model-apis/real-time",
        "Realtime endpoints talk over a WebSocket with a short-lived token: inputs go in, results come out at "
        "interactive speed.",
    ),
    Page(
        "File uploads",
        f"{_DOCS}/model-apis/file-uploads",
        "Inputs such as image_url take a public URL, a data URI, or the URL of a file uploaded to fal's storage. Large "
        "files go in parts. How long a file lives is its lifecycle.",
    ),
    Page(
        "Errors",
        f"{_DOCS}/model-apis/errors",
        "Model errors name the field and its type: 422 with detail[].loc, msg and type. Request errors have an "
        "error_type such as request_timeout or runner_disconnected. 403 'User is locked' means an exhausted balance.",
    ),
    Page(
        "Pricing",
        f"{_DOCS}/platform-apis/v1/models/pricing",
        "Each endpoint has a unit (image, megapixels, seconds, 1k characters …) and a price of it. What a call was "
        "charged is in the header x-fal-billable-units.",
    ),
    Page(
        "Concurrency limits",
        f"{_DOCS}/model-apis/concurrency-limits",
        "A new account has 2 requests in progress at one time; more wait in the queue without limit and are never "
        "dropped. Direct calls over the limit are refused with 429.",
    ),
    Page(
        "API keys",
        f"{_DOCS}/authentication/key-based",
        "A key has the form id:secret and goes into FAL_KEY. Keys of scope API call models; those of scope ADMIN also "
        "read usage and billing.",
    ),
    Page(
        "Usage API",
        f"{_DOCS}/platform-apis/v1/models/usage",
        "What an account's calls came to, by stretch of time, endpoint, unit and price; needs a key of scope ADMIN.",
    ),
)


def find_pages(words: str, endpoints: Iterable[SimulatedEndpoint]) -> list[Page]:
    """Return the pages in which most of the words occur, best first; none where no word occurs anywhere."""
    pages = [*_GUIDES, *(_page_of(endpoint) for endpoint in endpoints)]
    wanted = [word for word in words.lower().split() if len(word) > 2]
    scores: Mapping[Page, int] = {page: _score(page, wanted) for page in pages}
    return sorted((page for page in pages if scores[page]), key=lambda page: -scores[page])[:_MOST]


def _page_of(endpoint: SimulatedEndpoint) -> Page:
    takes = ", ".join(endpoint.input_model.model_fields)
    return Page(
        f"{endpoint.title} ({endpoint.endpoint_id})",
        f"https://fal.ai/models/{endpoint.endpoint_id}/api",
        f"{endpoint.description} Category {endpoint.category}. Inputs: {takes}.",
    )


def _score(page: Page, words: Iterable[str]) -> int:
    title, content = page.title.lower(), page.content.lower()
    return sum(3 * (word in title) + (word in content) for word in words)
