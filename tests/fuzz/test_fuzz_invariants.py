"""The invariants of the fuzz targets, on the seeds and on what Hypothesis makes of them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import TARGETS
from tests.fuzz.__main__ import main
from tests.fuzz.seeds import seeds
from tests.property.strategies import damaged

INPUTS = [
    pytest.param(target, data, id=f"{target}-{place}")
    for target in TARGETS
    for place, data in enumerate(seeds(target))
]


def fuzz(target: str, data: bytes) -> None:
    importlib.import_module(f"tests.fuzz.{target}").fuzz(data)


@pytest.mark.parametrize(("target", "data"), INPUTS)
def test_the_invariants_hold_where_the_search_starts(target: str, data: bytes) -> None:
    fuzz(target, data)


def inputs(target: str) -> st.SearchStrategy[bytes]:
    """Return a strategy for any bytes, and seeds with something changed in them."""
    # Not st.binary(), with which Hypothesis fails under -bb.
    anything = st.text(st.characters(max_codepoint=255)).map(lambda text: text.encode("latin-1"))
    texts = st.sampled_from([seed.decode("latin-1") for seed in seeds(target)])
    changed = damaged(texts).map(lambda text: text.encode("utf-8", "surrogatepass"))
    return st.one_of(anything, changed, damaged(texts).map(_narrow))


def _narrow(text: str) -> bytes:
    return bytes(ord(character) & 255 for character in text)


@pytest.mark.parametrize("target", TARGETS)
def test_the_invariants_hold_for_whatever_comes(target: str) -> None:
    given(inputs(target))(lambda data: fuzz(target, data))()


# -- the command -----------------------------------------------------------------------------------


def test_a_finding_can_be_run_again_without_the_fuzzer(tmp_path: Path) -> None:
    found = tmp_path / "found"
    found.write_bytes(b"3:::x")
    assert main(["--replay", str(found), "packet"]) == 0


def test_without_the_fuzzer_the_command_says_in_a_sentence_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "atheris", None)
    assert main(["packet"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("The fuzzer atheris is missing: pip install ")
    assert said.err.count("\n") == 1


def test_a_target_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["parcel"])
    assert "no such target: parcel" in capsys.readouterr().err
