"""The access log in a file: rotation, and servers that stop and start again."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from socketio.server import SocketIOServer
from tests.client import fetch, serving, wait_for

LINE = re.compile(r'127\.0\.0\.1 - - \[[^]]+\] "GET (\S+) HTTP/1\.1" 200 \d+ [\d.]+\n')


def targets(path: Path) -> list[str]:
    """Return what was asked for, by the lines of the file, which must all be whole."""
    text = path.read_text(encoding="utf-8")
    found = LINE.findall(text)
    assert LINE.sub("", text) == ""
    return found


def visit(server: SocketIOServer, target: str, path: Path) -> None:
    assert fetch(server, "GET", target).status == 200
    wait_for(lambda: path.exists() and target in path.read_text(encoding="utf-8"))


def opened(path: Path) -> int:
    """Return how many descriptors of this process are of the file."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.path.samefile(f"/proc/self/fd/{name}", path)
        except OSError:
            continue
    return found


def test_every_request_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    with serving({}, log="default", log_file=str(path)) as server:
        for number in range(3):
            visit(server, f"/{number}", path)
    assert targets(path) == ["/0", "/1", "/2"]


def test_a_file_that_was_moved_away_is_left_for_a_new_one(tmp_path: Path) -> None:
    path, old = tmp_path / "access.log", tmp_path / "access.log.1"
    with serving({}, log_file=str(path)) as server:
        visit(server, "/before", path)
        path.rename(old)
        visit(server, "/after", path)
        assert opened(old) == 0
        assert opened(path) == 1
    assert targets(old) == ["/before"]
    assert targets(path) == ["/after"]


def test_a_file_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    with serving({}, log_file=str(path)) as server:
        visit(server, "/before", path)
        path.unlink()
        visit(server, "/after", path)
    assert targets(path) == ["/after"]


def test_a_file_that_was_replaced_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    with serving({}, log_file=str(path)) as server:
        visit(server, "/before", path)
        path.rename(tmp_path / "access.log.1")
        path.touch()
        visit(server, "/after", path)
    assert targets(path) == ["/after"]


def test_a_server_that_stopped_has_closed_its_file(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    with serving({}, log_file=str(path)) as server:
        visit(server, "/page", path)
        assert opened(path) == 1
        server.stop()
        assert opened(path) == 0


@pytest.mark.parametrize("rotated", [False, True])
def test_a_server_that_starts_again_goes_on_with_its_file(tmp_path: Path, rotated: bool) -> None:
    path, old = tmp_path / "access.log", tmp_path / "access.log.1"
    server = SocketIOServer(
        ("127.0.0.1", 0),
        lambda _environ, start: (start("200 OK", []), [b"page"])[1],
        log_file=str(path),
    )
    for target in ("/first", "/second"):
        server.start()
        visit(server, target, path)
        server.stop()
        assert opened(path) == 0
        server.address = ("127.0.0.1", 0)
        if rotated and target == "/first":
            path.rename(old)
    assert targets(path) == (["/second"] if rotated else ["/first", "/second"])
    assert not rotated or targets(old) == ["/first"]


def test_two_servers_have_a_file_each(tmp_path: Path) -> None:
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    with serving({}, log_file=str(one)) as first, serving({}, log_file=str(two)) as second:
        visit(first, "/one", one)
        visit(second, "/two", two)
    assert targets(one) == ["/one"]
    assert targets(two) == ["/two"]


def test_a_file_that_cannot_be_written_is_found_out_before_anything_is_served(
    tmp_path: Path,
) -> None:
    missing = tmp_path / "nowhere" / "access.log"
    with pytest.raises(FileNotFoundError), serving({}, log_file=str(missing)):
        pass
