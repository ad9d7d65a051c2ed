import pytest

from fal_nb.errors import ConfigError
from fal_nb.protocol.endpoint import EndpointId
from fal_nb.protocol.urls import Hosts, is_loopback, origin

FLUX = EndpointId.parse("fal-ai/flux/dev")
COMFY = EndpointId.parse("comfy/me/mine/run")


def test_the_real_hosts_are_those_of_the_official_clients():
    hosts = Hosts()
    assert hosts.submit(FLUX) == "https://queue.fal.run/fal-ai/flux/dev"
    assert hosts.submit(FLUX, "/extra") == "https://queue.fal.run/fal-ai/flux/dev/extra"
    assert hosts.direct(FLUX, "stream") == "https://fal.run/fal-ai/flux/dev/stream"
    assert hosts.request(FLUX, "r1") == "https://queue.fal.run/fal-ai/flux/requests/r1"
    assert hosts.request(FLUX, "r1", "status/stream") == "https://queue.fal.run/fal-ai/flux/requests/r1/status/stream"
    assert hosts.request(COMFY, "r1", "cancel") == "https://queue.fal.run/comfy/me/mine/requests/r1/cancel"
    assert hosts.upload_token() == "https://rest.fal.ai/storage/auth/token?storage_type=fal-cdn-v3"
    assert hosts.upload() == "https://v3.fal.media/files/upload"
    assert hosts.openapi(FLUX) == "https://fal.ai/api/openapi/queue/openapi.json?endpoint_id=fal-ai/flux/dev"


def test_one_base_serves_everything_by_prefix():
    hosts = Hosts.under("http://127.0.0.1:8000/")
    assert hosts.queue == "http://127.0.0.1:8000/queue"
    assert hosts.run == "http://127.0.0.1:8000/run"
    assert hosts.rest == "http://127.0.0.1:8000/rest"
    assert hosts.cdn == "http://127.0.0.1:8000/cdn"
    assert hosts.api == hosts.schema == "http://127.0.0.1:8000/api"
    assert hosts.ws == "ws://127.0.0.1:8000/ws"
    assert hosts.mcp == "http://127.0.0.1:8000/mcp"
    assert Hosts.under("https://fal.example.org").ws == "wss://fal.example.org/ws"


@pytest.mark.parametrize(
    "base",
    ["http://example.org", "ftp://127.0.0.1", "127.0.0.1:80", "", "http://me:pw@127.0.0.1:1", "http://127.0.0.1/?x"],
)
def test_a_base_that_is_not_safe_is_refused(base):
    with pytest.raises(ConfigError):
        Hosts.under(base)


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://queue.fal.run/x", True),
        ("https://queue.fal.run.evil.org/x", False),
        ("http://queue.fal.run/x", False),
        ("https://queue.fal.run:444/x", False),
        ("https://queue.fal.run@evil.org/x", False),
        ("https://evil.org\\@queue.fal.run/x", False),
        ("https://QUEUE.fal.run/x", True),
        ("//queue.fal.run/x", False),
        ("https://[bad/x", False),
    ],
)
def test_only_the_configured_hosts_may_see_the_key(url, trusted):
    assert Hosts().trusts(url) is trusted


def test_a_request_id_never_changes_the_path():
    assert Hosts().request(FLUX, "../../x?y").endswith("/requests/..%2F..%2Fx%3Fy")


def test_loopback_is_told_by_text_alone():
    assert is_loopback("http://127.1.2.3:1/x")
    assert is_loopback("http://localhost")
    assert is_loopback("http://[::1]:8")
    assert not is_loopback("http://127.0.0.1.evil.org")
    assert origin("http://127.0.0.1") == ("http", "127.0.0.1", 80)
