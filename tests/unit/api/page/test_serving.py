"""How the page and its files are served."""

import base64
import gzip
import hashlib
import re
from importlib.resources import files
from pathlib import Path

import pytest

from services.api.page.files import INDEX, MEDIA_TYPES, VERSION, accepts_gzip, page_files, policy_of, version_of
from tests.support.stacks.memory_api import MemoryApi, error

FOLDER = Path(str(files("services.api.page").joinpath("static")))
PATHS = [path for path in FOLDER.rglob("*") if path.is_file()]
WITHOUT_KEY = {"Authorization": ""}


async def test_the_page_is_served_without_a_key(api: MemoryApi) -> None:
    reply = await api.client.get("/", headers=WITHOUT_KEY)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert VERSION.sub("", reply.text) == (FOLDER / INDEX).read_text()


async def test_the_page_names_its_files_by_their_version_and_browsers_keep_them(api: MemoryApi) -> None:
    page = (await api.client.get("/", headers=WITHOUT_KEY)).text
    named = re.findall(r'"(/page/[^"]+)"', page)
    assert len(named) > 60
    assert len({VERSION.findall(path)[0] for path in named}) == 1
    for path in named:
        reply = await api.client.get(path, headers=WITHOUT_KEY)
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable", path
        assert reply.content == (FOLDER / VERSION.sub("", path.removeprefix("/page/"))).read_bytes()


async def test_a_file_of_another_version_is_that_of_this_one_and_is_not_kept(api: MemoryApi) -> None:
    reply = await api.client.get(f"/page/v-{'0' * 16}/app.js", headers=WITHOUT_KEY)
    assert reply.content == (FOLDER / "app.js").read_bytes()
    assert reply.headers["cache-control"] == "no-cache"
    assert (await api.client.get(f"/page/v-{'0' * 16}/v-{'0' * 16}/app.js", headers=WITHOUT_KEY)).status_code == 404


def test_the_version_changes_with_any_file_and_with_no_other_thing() -> None:
    given = {"a.js": b"1", "b.js": b"2"}
    assert version_of(given) == version_of(dict(reversed(given.items())))
    others = [{"a.js": b"1"}, {"a.js": b"2", "b.js": b"1"}, {"a.js": b"1b.js", "c.js": b"2"}, {**given, "c.js": b""}]
    versions = [version_of(one) for one in (given, *others)]
    assert len(set(versions)) == len(versions)
    assert all(VERSION.fullmatch(one) for one in versions)


async def test_every_file_of_the_folder_is_served_with_its_type_and_headers(api: MemoryApi) -> None:
    paths = PATHS
    assert len(paths) == len([name for name in page_files() if not VERSION.match(name)])
    for path in paths:
        reply = await api.client.get(f"/page/{path.relative_to(FOLDER)}", headers=WITHOUT_KEY)
        assert reply.status_code == 200, path
        assert reply.content == path.read_bytes() or path.name == INDEX
        assert reply.headers["content-type"] == MEDIA_TYPES.get(path.suffix, "application/octet-stream")
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cache-control"] == "no-cache"


async def test_a_file_is_compressed_for_those_who_accept_it_and_has_another_tag_then(api: MemoryApi) -> None:
    plain = await api.client.get("/", headers={**WITHOUT_KEY, "Accept-Encoding": "identity"})
    packed = await api.client.get("/", headers={**WITHOUT_KEY, "Accept-Encoding": "br;q=1.0, gzip;q=0.8"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, mtime=0)) < len(plain.content)
    assert packed.content == plain.content  # the client has unpacked it
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == "Accept-Encoding"


async def test_a_client_that_has_the_file_gets_a_304_without_it(api: MemoryApi) -> None:
    first = await api.client.get("/", headers=WITHOUT_KEY)
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        reply = await api.client.get("/", headers={**WITHOUT_KEY, "If-None-Match": known})
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in reply.headers
    assert (await api.client.get("/", headers={**WITHOUT_KEY, "If-None-Match": '"other"'})).status_code == 200


async def test_head_has_the_headers_of_get(api: MemoryApi) -> None:
    for path in ("/", f"/page/{INDEX}"):
        got = await api.client.get(path, headers=WITHOUT_KEY)
        reply = await api.client.head(path, headers=WITHOUT_KEY)
        assert (reply.status_code, reply.headers) == (200, got.headers)


@pytest.mark.parametrize("path", ["", "%2e%2e/files.py", "..%2Ffiles.py", "/etc/passwd", "no%00thing"])
async def test_nothing_beside_the_folder_can_be_named(api: MemoryApi, path: str) -> None:
    reply = await api.client.get(f"/page/{path}", headers=WITHOUT_KEY)
    assert error(reply, 404)["code"] == "NOT_FOUND"


async def test_the_page_may_load_nothing_of_other_hosts_and_run_nothing_inline(api: MemoryApi) -> None:
    policy = (await api.client.get("/", headers=WITHOUT_KEY)).headers["content-security-policy"]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts.pop("img-src") == "'self' blob: data:"
    assert parts.pop("script-src").split()[0] == "'self'"
    assert set(parts.values()) == {"'none'", "'self'"}
    assert parts["default-src"] == parts["frame-ancestors"] == parts["base-uri"] == "'none'"
    assert "unsafe" not in policy


def test_the_import_map_is_allowed_by_its_hash_and_nothing_else_that_is_inline() -> None:
    text = '\n{"imports": {"a": "/page/a.js"}}\n'
    page = f'<script type="importmap">{text}</script><script>alert(1)</script>'
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy_of(page)
    assert policy_of(page).count("sha256") == 1


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("gzip;q=0.001", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("br", False),
    ],
)
def test_gzip_is_sent_if_it_is_accepted(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted
