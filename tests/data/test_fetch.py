"""Recordings brought from a server on loopback: whole and checked, or not at all."""

import dataclasses
import hashlib
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tfp_bvae.data import fetch
from tfp_bvae.data.readers import fetching

NAME = "m1-isometric-day0"
CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves the content; whole, cut off in the middle, or not at all."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path == "/cut" else CONTENT)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def at(server, monkeypatch):
    """A function that lets the recording be at a path of the server."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def place(path, sha256=SHA256):
        home = f"http://127.0.0.1:{server.server_address[1]}{path}"
        moved = dataclasses.replace(fetching.RECORDINGS[NAME], url=home, sha256=sha256)
        monkeypatch.setitem(fetching.RECORDINGS, NAME, moved)

    return place


def test_it_is_brought_once_and_checked_each_time(server, at, tmp_path, capsys):
    at("/whole")
    folder = tmp_path / "new" / "cache"
    path = fetch(NAME, folder)
    assert path.read_bytes() == CONTENT and path.parent == folder
    err = capsys.readouterr().err
    assert err.endswith(f"\r{NAME}: 0.5 of 0.5 MB (100%)\n") and err.count("\n") == 1
    assert fetch(NAME, folder) == path
    assert server.asked == ["/whole"] and capsys.readouterr().err == ""
    path.write_bytes(b"spoiled")
    assert fetch(NAME, folder, progress=False).read_bytes() == CONTENT
    assert server.asked == ["/whole"] * 2
    assert capsys.readouterr() == ("", "")
    assert [found.name for found in folder.iterdir()] == [path.name]


@pytest.mark.parametrize("path", ["/cut", "/gone"])
def test_what_is_cut_off_or_gone_leaves_nothing(at, tmp_path, path):
    at(path)
    with pytest.raises(ConnectionError, match=rf"{path} could not be brought"):
        fetch(NAME, tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_hash_leaves_nothing(at, tmp_path):
    at("/whole", sha256="0" * 64)
    with pytest.raises(ValueError, match=r"must have the sha256 000000.*nothing was kept"):
        fetch(NAME, tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_when_a_download_fails(at, tmp_path):
    at("/whole")
    path = fetch(NAME, tmp_path, progress=False)
    at("/cut", sha256="1" * 64)
    with pytest.raises(ConnectionError):
        fetch(NAME, tmp_path, progress=False)
    assert path.read_bytes() == CONTENT


def test_no_server_is_said_so(at, server, tmp_path, monkeypatch):
    moved = dataclasses.replace(fetching.RECORDINGS[NAME], url="http://127.0.0.1:9/x")
    monkeypatch.setitem(fetching.RECORDINGS, NAME, moved)
    with pytest.raises(ConnectionError, match="could not be brought"):
        fetch(NAME, tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_the_bar_shows_what_is_new():
    stream = io.StringIO()
    bar = fetching.Bar("x", stream)
    bar.total = 3_000_000
    for _ in range(3):
        bar.update(1_000_000)
    bar.update(10)
    bar.end()
    assert stream.getvalue().count("\r") == 3
    assert stream.getvalue().endswith("x: 3.0 of 3.0 MB (100%)\n")


def test_the_recording_is_of_one_version():
    found = fetching.RECORDINGS[NAME]
    assert found.url.startswith("https://raw.githubusercontent.com/SachsLab/")
    assert found.url.endswith("/a96475070972d8fcbb28897ad6661942838ad0ab/data/ADAN/Day0.mat")
    assert len(found.sha256) == 64
