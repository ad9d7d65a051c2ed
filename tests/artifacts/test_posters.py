"""Posters of solids: drawn as they are, whatever the file says of itself."""

import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from fal_nb.artifacts.describe import describe
from fal_nb.artifacts.glb import read_glb
from fal_nb.artifacts.posters import draw_solid, preview_solid
from fal_nb.artifacts.thumbnails import MAX_BYTES
from fal_nb.protocol.files import FileRef

CORNERS = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
FACES = np.array([0, 1, 2, 0, 2, 3], np.uint16)


def glb(document=None, *, body=None, primitive=None, node=None, more=(), **tables):
    """Return a GLB of one square; `more` are further (accessor, bytes) after its points and faces."""
    parts = [(CORNERS.tobytes(), 5126, 4, "VEC3"), (FACES.tobytes(), 5123, 6, "SCALAR"), *more]
    data, views, accessors = b"", [], []
    for index, (piece, kind, count, shape) in enumerate(parts):
        views.append({"buffer": 0, "byteOffset": len(data), "byteLength": len(piece)})
        accessors.append({"bufferView": index, "componentType": kind, "count": count, "type": shape})
        data += piece + bytes(-len(piece) % 4)
    own = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0, **(node or {})}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1} | (primitive or {})]}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(data)}],
    }
    return packed(own | tables | (document or {}), data if body is None else body)


def packed(document, body):
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(body), 0x004E4942) + body
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def colour_in_the_middle(data):
    picture = draw_solid(read_glb(data), 64)
    return picture.getpixel((32, 32))


def test_a_square_is_drawn_in_its_colour_on_nothing():
    material = [{"pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}}]
    picture = draw_solid(read_glb(glb(materials=material, primitive={"material": 0})), 64)
    red, green, blue, alpha = picture.getpixel((32, 32))
    assert red > 120
    assert green == blue == 0
    assert alpha == 255
    assert picture.getpixel((0, 0))[3] == 0


def test_what_is_nearer_hides_what_is_behind_it_whatever_comes_first_in_the_file():
    colours = np.array([[1, 0, 0]] * 4 + [[0, 1, 0]] * 4, np.float32)
    for near, wanted in ((0.5, 1), (-0.5, 0)):
        points = np.concatenate([CORNERS, CORNERS + np.float32([0, 0, near])]).astype(np.float32)
        faces = np.concatenate([FACES, FACES + 4]).astype(np.uint16)
        more = [
            (points.tobytes(), 5126, 8, "VEC3"),
            (faces.tobytes(), 5123, 12, "SCALAR"),
            (colours.tobytes(), 5126, 8, "VEC3"),
        ]
        primitive = {"attributes": {"POSITION": 2, "COLOR_0": 4}, "indices": 3}
        pixel = colour_in_the_middle(glb(more=more, primitive=primitive))
        assert pixel[wanted] > 100
        assert pixel[1 - wanted] == 0


def test_a_texture_is_seen_between_the_corners_too():
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste((0, 0, 255), (16, 16, 48, 48))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    places = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
    more = [(places.tobytes(), 5126, 4, "VEC2"), (buffer.getvalue(), 5121, 1, "SCALAR")]
    document = {
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
    }
    primitive = {"attributes": {"POSITION": 0, "TEXCOORD_0": 2}, "material": 0}
    red, _, blue, _ = colour_in_the_middle(glb(document, more=more, primitive=primitive))
    assert blue > 100
    assert red == 0


def test_a_part_stands_where_its_node_puts_it():
    half = 2**-0.5
    solid = read_glb(glb(node={"translation": [10, 0, 0], "rotation": [0, half, 0, half], "scale": [1, 3, 1]}))
    assert np.allclose(solid.corners[0], [[10, -3, 1], [10, -3, -1], [10, 3, -1]], atol=1e-5)


@pytest.mark.parametrize(
    "data",
    [
        b"glTF\x02\0\0\0",
        glb(body=b""),
        glb({"nodes": [{"mesh": 0, "children": [0]}]}),
        glb({"buffers": [{"byteLength": 9, "uri": "https://example.com/steal"}]}),
        glb({"extensionsRequired": ["KHR_draco_mesh_compression"]}),
        glb({"accessors": [{"bufferView": 0, "componentType": 5126, "count": 10**9, "type": "VEC3"}] * 2}),
        glb({"accessors": [{"bufferView": 0, "componentType": 5126, "count": 5, "type": "VEC3"}] * 2}),
        glb({"accessors": [{"bufferView": -1, "componentType": 5126, "count": 1, "type": "VEC3"}] * 2}),
        glb({"bufferViews": [{"buffer": 0, "byteOffset": -8, "byteLength": 10**12}] * 2}),
        glb(primitive={"mode": 0}),
        glb(node={"scale": [0, 0, 0]}),
        glb(node={"translation": [float("inf"), 0, 0]}),
        packed([], b""),
        packed({"scenes": 7}, b""),
    ],
)
def test_what_cannot_be_drawn_has_no_poster_and_stays_a_mesh(tmp_path, data):
    path = tmp_path / "x.glb"
    path.write_bytes(data)
    assert preview_solid(path).thumbnail is None
    artifact = describe(path, FileRef(where=("model",), url="https://x/y.glb", kind="mesh"), index=0)
    assert (artifact.kind, artifact.thumbnail, artifact.error) == ("mesh", None, None)


def test_a_poster_is_small_and_square(tmp_path):
    path = tmp_path / "x.glb"
    path.write_bytes(glb())
    thumbnail = preview_solid(path).thumbnail
    assert len(thumbnail) <= MAX_BYTES
    assert Image.open(io.BytesIO(thumbnail)).size == (320, 320)


def test_triangles_as_large_as_the_picture_do_not_take_for_ever(tmp_path):
    faces = np.tile(FACES, 20_000)
    more = [(faces.tobytes(), 5123, len(faces), "SCALAR")]
    with pytest.raises(ValueError, match="too long"):
        draw_solid(read_glb(glb(more=more, primitive={"indices": 2})))
