"""Source distributions of other projects: fetched with pip, once, and read without unpacking."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".corpora"
_SECONDS = 180


class NoNetworkError(Exception):
    """No package index could be reached."""


@dataclass(frozen=True)
class SourceDistribution:
    """One release, pinned to its bytes."""

    project: str
    version: str
    sha256: str

    @property
    def archive(self) -> Path:
        """Where it is kept."""
        return CACHE / f"{self.project}-{self.version}.tar.gz"

    def fetched(self) -> Path:
        """Return the archive, fetching it when it is not here or not what it should be."""
        if not self._is_here():
            CACHE.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as folder:
                # Moved into its place in one step: other test runs may be fetching it too.
                shutil.move(self._download(Path(folder)), self.archive)
        return self.archive

    def _is_here(self) -> bool:
        if not self.archive.exists():
            return False
        return hashlib.sha256(self.archive.read_bytes()).hexdigest() == self.sha256

    def _download(self, folder: Path) -> Path:
        wanted = folder / "requirements.txt"
        wanted.write_text(f"{self.project}=={self.version} --hash=sha256:{self.sha256}\n")
        # Whatever index this machine is set up for. pip asks the package for its metadata, so what
        # that needs is fetched too, as wheels: only the project itself may not be one.
        command = [sys.executable, "-m", "pip", "download", "--quiet"]
        command += ["--disable-pip-version-check", "--timeout", "20", "--retries", "1"]
        command += ["--no-deps", "--no-binary", self.project]
        command += ["--require-hashes", "--requirement", str(wanted), "--dest", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        if done.returncode == 0:
            return folder / self.archive.name
        kind = NoNetworkError if "after connection broken by" in done.stderr else RuntimeError
        raise kind(f"pip could not fetch {self.project} {self.version}:\n{done.stderr}")

    def files(self, *folders: str) -> Iterator[tuple[str, bytes]]:
        """Yield the path below the top folder, and the content, of the files in ``folders``."""
        with tarfile.open(self.fetched()) as archive:
            for member in archive:
                path = member.name.partition("/")[2]
                if member.isfile() and path.rpartition("/")[0] in folders:
                    content = archive.extractfile(member)
                    assert content is not None
                    yield path, content.read()


def may_be_missing() -> bool:
    """Tell whether tests may do without what cannot be fetched; not where it would go unseen."""
    return os.environ.get("CI", "").lower() not in ("1", "true")
