import pytest

from fal_nb.simulator.operations import classify

UPLOAD = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("method", "path", "kind", "app"),
    [
        ("POST", "/queue/fal-ai/flux/dev", "submit", "fal-ai/flux/dev"),
        ("POST", "/queue/fal-ai/flux/dev/", "submit", "fal-ai/flux/dev"),
        ("GET", "/queue/fal-ai/flux/requests/R", "result", "fal-ai/flux"),
        ("GET", "/queue/fal-ai/flux/requests/R/", "result", "fal-ai/flux"),
        ("GET", "/queue/fal-ai/flux/dev/requests/R/response", "result", "fal-ai/flux/dev"),
        ("GET", "/queue/fal-ai/flux/requests/R/status", "status", "fal-ai/flux"),
        ("GET", "/queue/fal-ai/flux/dev/requests/R/status/", "status", "fal-ai/flux/dev"),
        ("GET", "/queue/workflows/me/mine/requests/R/status/stream", "status_stream", "workflows/me/mine"),
        ("PUT", "/queue/fal-ai/flux/requests/R/cancel", "cancel", "fal-ai/flux"),
        ("POST", "/run/fal-ai/flux/dev", "run", "fal-ai/flux/dev"),
        ("POST", "/run/fal-ai/flux/dev/stream", "stream", "fal-ai/flux/dev"),
        ("GET", "/run/fal-ai/flux/dev", "run", "fal-ai/flux/dev"),
        ("PUT", f"/cdn/uploads/{UPLOAD}", "upload_signed", UPLOAD),
        ("PUT", f"/cdn/uploads/{UPLOAD}/7", "upload_part", UPLOAD),
        ("PUT", f"/cdn/files/b/1/x.png/multipart/{UPLOAD}/7", "upload_part", UPLOAD),
        ("POST", f"/cdn/files/b/1/multipart/multipart/{UPLOAD}/complete", "upload_complete", UPLOAD),
        ("GET", "/api/v1/models/pricing", "platform_pricing", "/api/v1/models/pricing"),
        ("POST", "/api/models/pricing/estimate/", "platform_estimate", "/api/models/pricing/estimate/"),
        ("HEAD", "/cdn/files/b/1/x.png", "cdn_get", "b/1/x.png"),
        ("GET", "/cdn/thumbnails/fal-ai/flux/dev.jpg", "thumbnail", "fal-ai/flux/dev.jpg"),
        ("POST", "/rest/storage/auth/token", "upload_token", "/rest/storage/auth/token"),
        ("GET", "/api/openapi/queue/openapi.json", "openapi", "/api/openapi/queue/openapi.json"),
    ],
)
def test_every_spelling_of_a_path_means_its_operation(method, path, kind, app):
    operation = classify(method, path)
    assert (operation.kind, operation.path) == (kind, app)
    assert operation.request_id == ("R" if "requests" in path else None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/queue/fal-ai/flux/dev"),
        ("POST", "/queue/fal-ai/flux/requests/R/cancel"),
        ("PUT", "/queue/fal-ai/flux/requests/R/status"),
        ("PUT", "/run/fal-ai/flux/dev"),
        ("GET", "/cdn/uploads/0123456789abcdef0123456789abcdef"),
        ("GET", "/cdn/uploads/0123456789abcdef0123456789abcdef/complete"),
        ("POST", "/cdn/uploads/0123456789abcdef0123456789abcdef/3"),
        ("DELETE", "/cdn/files/b/1/x.png"),
        ("GET", "/rest/storage/auth/token"),
    ],
)
def test_a_known_path_with_another_method_is_not_allowed(method, path):
    assert classify(method, path).kind == "not_allowed"


def test_anything_else_is_unknown():
    assert classify("GET", "/").kind == "unknown"
    assert classify("GET", "/admin/secrets").kind == "unknown"
