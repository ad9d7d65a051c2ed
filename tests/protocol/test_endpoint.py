import pytest
from hypothesis import given
from hypothesis import strategies as st

from fal_nb.errors import EndpointError
from fal_nb.protocol.endpoint import EndpointId


@pytest.mark.parametrize(
    ("text", "parts", "base"),
    [
        ("fal-ai/flux/schnell", ("fal-ai", "flux", "schnell", ""), "fal-ai/flux"),
        ("fal-ai/fast-sdxl", ("fal-ai", "fast-sdxl", "", ""), "fal-ai/fast-sdxl"),
        (
            "fal-ai/kling-video/v3/pro/text-to-video",
            ("fal-ai", "kling-video", "v3/pro/text-to-video", ""),
            "fal-ai/kling-video",
        ),
        ("workflows/me/mine", ("me", "mine", "", "workflows"), "workflows/me/mine"),
        ("comfy/me/mine/run", ("me", "mine", "run", "comfy"), "comfy/me/mine"),
        ("110602490-lora", ("110602490", "lora", "", ""), "110602490/lora"),
        ("110602490-my-app", ("110602490", "my-app", "", ""), "110602490/my-app"),
        ("/fal-ai/flux/", ("fal-ai", "flux", "", ""), "fal-ai/flux"),
        ("fal-ai/flux-pro/v1.1", ("fal-ai", "flux-pro", "v1.1", ""), "fal-ai/flux-pro"),
    ],
)
def test_ids_are_read_by_the_rule_of_the_official_clients(text, parts, base):
    endpoint = EndpointId.parse(text)
    assert (endpoint.owner, endpoint.alias, endpoint.path, endpoint.namespace) == parts
    assert endpoint.base == base
    assert EndpointId.parse(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    "text",
    ["", "flux", "fal-ai/", "/", "workflows/me", "fal-ai/../secrets", "fal-ai/a b", "https://fal.run/fal-ai/flux",
     "fal-ai/flux?x=1", "fal-ai/flux#x", "a/b/", "a//b", "x/%2e%2e"],
)  # fmt: skip
def test_anything_else_is_refused_with_the_form_to_write(text):
    if text == "a/b/":
        assert str(EndpointId.parse(text)) == "a/b"
        return
    with pytest.raises(EndpointError, match="owner/alias"):
        EndpointId.parse(text)


@given(st.text())
def test_no_text_raises_anything_else(text):
    try:
        endpoint = EndpointId.parse(text)
    except EndpointError:
        return
    assert EndpointId.parse(str(endpoint)) == endpoint
    assert ".." not in str(endpoint).split("/")
