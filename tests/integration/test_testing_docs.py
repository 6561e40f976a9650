"""What docs/testing.rst shows, run as its readers would: with pytest and with unittest."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import missing

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "testing.rst"
EXAMPLE = ROOT / "docs" / "testing_example"
PLUGIN = "socketio.pytestplugin"

# What a test run has to say about when the library is imported.
WATCHER = """
import sys

def pytest_sessionstart(session):
    loaded = [name for name in ("gevent", "socketio.server") if name in sys.modules]
    sys.stdout.write(f"at the start: {loaded}\\n")
"""


def environment(place):
    """Return the environment of a run in which our plugin is installed, wherever we are."""
    made = place / "plugin-0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 0\n")
    (made / "entry_points.txt").write_text(f"[pytest11]\nsocketio = {PLUGIN}\n")
    (place / "watcher.py").write_text(WATCHER)
    (place / "patched.py").write_text("from gevent import monkey\n\nmonkey.patch_all()\n")
    path = os.pathsep.join([str(place), str(ROOT)])
    return {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # those of others take their time
        "COLUMNS": "200",
    }


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a module of Python's and returns status and output."""
    env = environment(tmp_path)

    def ran(*args, cwd=tmp_path):
        command = [sys.executable, "-bb", "-m", *map(str, args)]
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=100, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return ran


def ran_by_pytest(run, *args):
    """Run pytest with nothing but our plugin, all warnings being errors."""
    # Our own configuration is that of another project: it does not count here.
    alone = ["-c", os.devnull, "-p", "no:cacheprovider", "-p", "socketio", "-W", "error"]
    return run("pytest", *alone, *args)


@pytest.mark.parametrize("patched", [(), ("-p", "patched")], ids=["as it is", "patched"])
def test_the_examples_pass(run, patched):
    try:
        import flask  # noqa: F401
    except ImportError:
        missing("flask")
    status, output = ran_by_pytest(run, *patched, "--rootdir", EXAMPLE, EXAMPLE)
    assert status == 0, output
    tests = sum(path.read_text().count("\ndef test_") for path in EXAMPLE.glob("test_*.py"))
    assert f" {tests + 1} passed" in output  # and one method


def test_unittest_runs_them_too(run):
    status, output = run("unittest", "-v", "test_with_unittest", cwd=EXAMPLE)
    assert status == 0, output
    assert "Ran 1 test" in output


def test_every_example_of_the_page_is_in_a_tested_file():
    text = PAGE.read_text(encoding="utf-8")
    assert "code-block" not in text
    assert not re.search(r"::\n\n {2,}", text.replace("literalinclude::", "literalinclude"))
    shown = re.findall(r"literalinclude:: testing_example/(\S+)\n((?:   :.*\n)*)", text)
    assert len(shown) == text.count("literalinclude::")
    for name, options in shown:
        source = (EXAMPLE / name).read_text(encoding="utf-8")
        for found in re.findall(r":pyobject: (\S+)", options):
            assert f"\ndef {found}(" in source
    assert {name for name, _ in shown} == {path.name for path in EXAMPLE.glob("*.py")}


# -- the plugin --------------------------------------------------------------------------------


def test_the_library_is_not_imported_before_a_test_wants_it(run, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "def test_nothing():\n    pass\n\n"
        "def test_a_server(make_socketio_server):\n"
        "    import sys\n"
        "    assert 'gevent' in sys.modules\n"
        "    assert make_socketio_server({}).connect().connected\n"
    )
    status, output = ran_by_pytest(run, "-s", "-p", "watcher", "test_it.py")
    assert status == 0, output
    assert "at the start: []" in output


def test_the_fixtures_tell_what_they_are_for(run):
    status, output = ran_by_pytest(run, "--fixtures", "-v")
    assert status in (0, 5), output
    for name in ("make_socketio_server", "socketio_app", "socketio_options", "socketio_server"):
        assert re.search(rf"^{name}\b.*\n    \S", output, re.MULTILINE), name


def test_an_application_that_was_not_given_is_asked_for(run, tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it(socketio_server):\n    pass\n")
    status, output = ran_by_pytest(run, "test_it.py")
    assert status == 1
    assert "define a fixture named socketio_app" in output


FAILING = """
import gevent
import pytest
from socketio.namespace import BaseNamespace

class Chat(BaseNamespace):
    def on_divide(self, number):
        return 1 / number

    def on_leak(self):
        gevent.spawn(gevent.sleep, 1000)

    def recv_disconnect(self):
        if self.session.get("clumsy"):
            raise LookupError("at the end")

@pytest.fixture
def socketio_app():
    return {"/chat": Chat}

@pytest.fixture
def ada(socketio_server):
    return socketio_server.connect("/chat")

def test_one_that_fails_at_once(ada):
    ada.emit("divide", 0)

def test_one_that_fails_at_its_end(ada):
    ada.session["clumsy"] = True

def test_one_that_leaves_something(ada):
    ada.emit("leak")

def test_one_that_finds_something_else(ada):
    ada.emit("divide", 1)
    ada.expect("divided", 1)

def test_one_that_holds(ada):
    assert ada.ask("divide", 2) == [0.5]
"""


def test_what_fails_in_the_application_fails_the_test_with_its_traceback(run, tmp_path):
    (tmp_path / "test_it.py").write_text(FAILING)
    status, output = ran_by_pytest(run, "test_it.py", "-rfE", "-q")
    assert status == 1
    assert "2 failed, 3 passed, 2 errors" in output
    assert ">       return 1 / number" in output
    assert re.search(r"FAILED test_it.py::test_one_that_fails_at_once .*HandlerFailed", output)
    assert re.search(r"FAILED test_it.py::test_one_that_finds_something_else .*did not", output)
    assert re.search(r"ERROR test_it.py::test_one_that_fails_at_its_end .*HandlerFailed", output)
    assert re.search(r"ERROR test_it.py::test_one_that_leaves_something .*LeftBehind", output)


def test_the_plugin_is_declared():
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'[project.entry-points.pytest11]\nsocketio = "{PLUGIN}"\n' in declared
