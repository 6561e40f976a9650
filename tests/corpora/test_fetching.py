"""A source distribution is fetched once, and is what it should be."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.corpora import fetching, gunicorn, llhttp
from tests.corpora.fetching import NoNetworkError, SourceDistribution, may_be_missing


def make_archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in ("thing-1/a/one.http", "thing-1/a/deep/two.http", "thing-1/b/three.http"):
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            archive.addfile(entry, io.BytesIO(name.encode()))
    return buffer.getvalue()


ARCHIVE = make_archive()
THING = SourceDistribution("thing", "1", hashlib.sha256(ARCHIVE).hexdigest())


class Pip:
    """Stands in for pip: writes the archive, or fails with ``complaint``."""

    def __init__(self) -> None:
        self.runs = 0
        self.complaint = ""

    def __call__(self, command: list[str], **kw: Any) -> Any:
        self.runs += 1
        if not self.complaint:
            (Path(command[-1]) / "thing-1.tar.gz").write_bytes(ARCHIVE)
        code = 1 if self.complaint else 0
        return subprocess.CompletedProcess(command, code, "", self.complaint)


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pip:
    pip = Pip()
    monkeypatch.setattr(fetching, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(subprocess, "run", pip)
    return pip


def test_it_is_fetched_once_and_only_the_folders_asked_for_are_read(pip: Pip) -> None:
    for _ in range(2):
        assert dict(THING.files("a")) == {"a/one.http": b"thing-1/a/one.http"}
    assert [path for path, _ in THING.files("a", "b")] == ["a/one.http", "b/three.http"]
    assert pip.runs == 1
    assert list(fetching.CACHE.iterdir()) == [THING.archive]


def test_a_damaged_one_is_fetched_again(pip: Pip) -> None:
    THING.fetched().write_bytes(ARCHIVE[:-1])
    assert THING.fetched().read_bytes() == ARCHIVE
    assert pip.runs == 2


def test_without_a_network_it_may_be_missing_and_for_no_other_reason(pip: Pip) -> None:
    pip.complaint = "WARNING: Retrying (Retry(total=0)) after connection broken by 'X': /thing/"
    with pytest.raises(NoNetworkError, match="could not fetch thing 1"):
        THING.fetched()
    pip.complaint = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"
    with pytest.raises(RuntimeError, match="DO NOT MATCH"):
        THING.fetched()
    assert list(fetching.CACHE.iterdir()) == []


def test_in_continuous_integration_it_may_not_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, may in [("", True), ("false", True), ("true", False), ("1", False)]:
        monkeypatch.setenv("CI", value)
        assert may_be_missing() is may
    monkeypatch.delenv("CI")
    assert may_be_missing()


def test_the_escapes_of_gunicorn_become_bytes_and_its_line_ends_nothing() -> None:
    assert gunicorn.unescape(rb"a\r\n" + b"\n" + rb"b\t\0\x7f\n") == b"a\r\nb\t\x00\x7f\n"


def test_the_escapes_of_llhttp_become_bytes_and_its_line_ends_crlf() -> None:
    assert llhttp.unescape("a\nb\\\nc\\r\\xff\\033\\f\n\n") == b"a\r\nbc\r\xff\x1b\x0c\r\n"
    assert llhttp.unescape('"\\"') == b'"\\"'
