"""The reader of the tutorial: saves the files that its pages show and types what they say."""

from __future__ import annotations

import contextlib
import difflib
import http.client
import os
import re
import shlex
import ssl
import sys
import tarfile
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from socketio import __version__
from tests.examples.stage import EXAMPLES
from tests.integration.jsclients import install_packages
from tests.subprograms import TOP, Subprogram, free_port, running

__all__ = [
    *["CHAPTERS", "TUTORIAL", "Reader", "Save", "Type", "at", "changed_lines", "log_in", "saves"],
    *["server_line", "serves", "steps", "types", "up_to"],
]

TUTORIAL = TOP / "docs" / "tutorial"
CHAPTERS = re.findall(
    r"^   ([a-z]+)$", TUTORIAL.joinpath("index.rst").read_text(encoding="utf-8"), re.M
)


@dataclass
class Save:
    """A file that the page shows and the reader saves."""

    name: str
    source: Path
    marked: str

    @property
    def text(self) -> str:
        """What is in it."""
        return self.source.read_text(encoding="utf-8")


@dataclass
class Type:
    """A line to type, and what is seen then."""

    command: str
    seen: str

    def is_seen_in(self, output: str) -> bool:
        """Tell whether the output is what the page shows; ``...`` stands for anything."""
        parts = (re.escape(part.rstrip("\n")) for part in self.seen.split("..."))
        return re.fullmatch(".*".join(parts), output.rstrip("\n"), re.DOTALL) is not None


def steps(chapter: str) -> Iterator[Save | Type]:
    """Return what a chapter has its reader do, in order; it may be the path of another page."""
    file = TUTORIAL / f"{chapter}.rst"
    page = file.read_text(encoding="utf-8")
    # Directives with all that is indented below them.
    for kind, argument, body in re.findall(
        r"^\.\. (literalinclude|code-block):: (.*)\n((?:\n|   .*\n)*)", page, re.M
    ):
        options = dict(re.findall(r"^   :([a-z-]+): *(.*)$", body, re.M))
        if kind == "literalinclude" and "caption" in options:
            yield Save(
                options["caption"], file.parent / argument, options.get("emphasize-lines", "")
            )
        elif argument == "console":
            text = "".join(f"{line[3:]}\n" for line in body.splitlines() if line)
            for command, seen in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
                yield Type(command, seen)


def changed_lines(old: str, new: str) -> str:
    """Return which lines of ``new`` are not in ``old``, as Sphinx wants them: ``2,5-7``."""
    lines = new.splitlines()
    matcher = difflib.SequenceMatcher(None, old.splitlines(), lines, autojunk=False)
    found = []
    for kind, _, _, first, last in matcher.get_opcodes():
        while first < last and not lines[first]:
            first += 1
        while first < last and not lines[last - 1]:
            last -= 1
        if kind in ("replace", "insert") and first < last:
            found.append(f"{first + 1}-{last}" if last > first + 1 else str(last))
    return ",".join(found)


class Reader:
    """Somebody who does what the pages say, in a folder that is empty at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = ""
        self.exported: dict[str, str] = {}
        # What needs a network is not typed, but has its effect.
        self.stand_ins: dict[str, Callable[[], str]] = {
            "python -m pip install ": lambda: "Processing\nSuccessfully installed",
            "python3 -m venv ": self._make_venv,
            "npm pack ": self._pack_client,
        }
        folder.joinpath("gevent-socketio").symlink_to(TOP)

    @property
    def env(self) -> dict[str, str]:
        """The environment of what is typed."""
        path = os.pathsep.join(filter(None, [self.venv, os.environ["PATH"]]))
        return {"PATH": path, **self.exported}

    def save(self, step: Save) -> None:
        """Save a file."""
        target = self.folder / step.name
        # The page has said to make the folder; a parent that is missing fails here.
        target.write_text(step.text, encoding="utf-8")

    def type(self, step: Type) -> None:
        """Type a line that ends by itself, and look at what comes."""
        words = shlex.split(step.command)
        if words[0] == "cd":
            self.folder /= words[1]
            output = ""
        elif words[0] == "export":
            self.exported.update(word.split("=", 1) for word in words[1:])
            output = ""
        elif words[0] == ".":
            assert self.folder.joinpath(words[1]).is_file(), step.command
            self.venv = str(Path(sys.executable).parent)
            output = ""
        else:
            output = self._run(step.command)
        assert step.is_seen_in(output), f"{step.command!r} printed:\n{output}\nnot:\n{step.seen}"

    def _run(self, command: str) -> str:
        for beginning, stand_in in self.stand_ins.items():
            if command.startswith(beginning):
                return stand_in()
        with running(["bash", "-c", command], cwd=self.folder, env=self.env) as program:
            status = program.wait()
            assert status == 0, f"{command!r} ended with {status}:\n{program.output()}"
            return program.output()

    @contextlib.contextmanager
    def serving(self, step: Type, port: int = 0) -> Iterator[tuple[Subprogram, str]]:
        """Type a line that serves, but on another port; gives the program, and where it serves."""
        command = step.command.replace("127.0.0.1:8080", f"127.0.0.1:{port or free_port()}")
        env = {**self.env, "SOCKETIO_PORT": str(port)}
        with running(["bash", "-c", f"exec {command}"], cwd=self.folder, env=env) as program:
            url = program.wait_for_line(r"(http://127\.0\.0\.1:\d+).*\n")[1]
            output = program.output()
            said = output[: output.index("\n", output.index(url))]
            assert Type("", tested(step.seen)).is_seen_in(tested(said)), said
            yield program, url

    def read(self, *chapters: str) -> None:
        """Go through chapters, except for what serves and what needs root."""
        for chapter in chapters:
            for step in steps(chapter):
                if isinstance(step, Save):
                    self.save(step)
                elif not serves(step) and "sudo " not in step.command:
                    self.type(step)

    def _make_venv(self) -> str:
        programs = self.folder / "venv" / "bin"
        programs.mkdir(parents=True)
        programs.joinpath("activate").touch()
        return ""

    def _pack_client(self) -> str:
        install_packages(EXAMPLES)
        package = EXAMPLES / "node_modules" / "socket.io-client"
        name = "socket.io-client-0.9.17.tgz"
        with tarfile.open(self.folder / name, "w:gz") as archive:
            archive.add(package / "dist", "package/dist")
        return name


def saves(chapter: str) -> list[Save]:
    """Return the files of a chapter."""
    return [step for step in steps(chapter) if isinstance(step, Save)]


def types(chapter: str) -> list[Type]:
    """Return what a chapter has its reader type."""
    return [step for step in steps(chapter) if isinstance(step, Type)]


def up_to(chapter: str) -> list[str]:
    """Return the chapters to the end of this one."""
    return CHAPTERS[: CHAPTERS.index(chapter) + 1]


def server_line(chapter: str) -> Type:
    """Return the line to serve with: the chapter's own, or that of the one before."""
    lines = [step for name in up_to(chapter) for step in types(name) if serves(step)]
    return lines[-1]


@contextlib.contextmanager
def at(chapter: str, folder: Path) -> Iterator[tuple[Reader, str]]:
    """Go to the place in a chapter where its server runs; gives the reader, and the URL."""
    reader = Reader(folder)
    reader.read(*up_to(chapter))
    with reader.serving(server_line(chapter)) as (_, url):
        yield reader, url


def serves(step: Type) -> bool:
    """Tell whether a line does not end by itself."""
    return re.match(r"python -m socketio |gunicorn ", step.command) is not None


def tested(text: str) -> str:
    """Return text with the version and the port of now in the place of those of any time."""
    text = re.sub(r"gevent-socketio \d+\.\d+\.\d+", f"gevent-socketio {__version__}", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)


def log_in(
    url: str, user: str, password: str, tls: ssl.SSLContext | None = None
) -> tuple[dict[str, str], str]:
    """Log in as the form does; returns the headers of requests from then on, and the cookie."""
    host = urllib.parse.urlsplit(url).netloc
    connection = (
        http.client.HTTPSConnection(host, timeout=60, context=tls)
        if tls
        else http.client.HTTPConnection(host, timeout=60)
    )
    with contextlib.closing(connection):
        form = urllib.parse.urlencode({"user": user, "password": password})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/login", form, kind)
        cookie = connection.getresponse().getheader("Set-Cookie") or ""
    return ({"Cookie": cookie.split(";")[0]} if cookie else {}), cookie
