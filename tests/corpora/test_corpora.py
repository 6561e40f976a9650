"""Every case of the corpora is answered as its authors say, or as we decided.

The corpora are fetched when these tests are collected. Where that cannot be done for want of a
network, there is nothing to test; continuous integration fails instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from tests.corpora.answers import READERS, answers, judge
from tests.corpora.cases import Case, Corpus, Request, Rest, Verdict
from tests.corpora.fetching import NoNetworkError, may_be_missing
from tests.corpora.sending import CANARY, CUTS, Stage, stage

# The sources are pinned: another number is a defect of our reading.
SIZES = {"gunicorn": (143, 0), "llhttp": (123, 43)}


@cache
def read(name: str) -> Corpus | str:
    """Return a corpus, or why there is none."""
    try:
        return READERS[name]()
    except NoNetworkError as exc:
        if may_be_missing():
            return str(exc)
        raise


KINDS = {
    "case": lambda case: True,
    "malformed": lambda case: case.rest is Rest.MALFORMED,
    "hostless": lambda case: case.hosted != case.data,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each case of the kind that a test names, or of each corpus."""
    if "corpus" not in metafunc.fixturenames:
        return
    kind = next((kind for kind in KINDS if kind in metafunc.fixturenames), None)
    names = ("corpus", kind) if kind else ("corpus",)
    chosen = []
    for name in READERS:
        corpus = read(name)
        if isinstance(corpus, str):
            nothing = [None] * len(names)
            chosen.append(pytest.param(*nothing, marks=pytest.mark.skip(corpus), id=name))
        elif kind is None:
            chosen.append(pytest.param(corpus, id=name))
        else:
            chosen += [
                pytest.param(corpus, case, id=f"{name} {case.name}")
                for case in corpus.cases
                if KINDS[kind](case)
            ]
    metafunc.parametrize(names, chosen)


@pytest.fixture(scope="module")
def on() -> Iterator[Stage]:
    with stage() as made:
        yield made


def test_a_case_is_answered_as_its_authors_say_or_as_decided_however_it_is_cut(
    on: Stage, corpus: Corpus, case: Case
) -> None:
    for cut in CUTS:
        outcome = on.send(case.hosted, cut)
        assert judge(corpus, case, outcome) is not Verdict.WRONG, (cut, outcome, case.data[:2000])


def test_nothing_behind_a_malformed_request_is_executed(
    on: Stage, corpus: Corpus, malformed: Case
) -> None:
    for cut in CUTS:
        outcome = on.send(malformed.hosted + CANARY, cut)
        # Where we decided that it is a sound request, the canary is just the next one.
        if malformed.name in corpus.decisions and outcome.served[1:] == [Request("GET", "/canary")]:
            del outcome.served[1:], outcome.statuses[1:]
        assert judge(corpus, malformed, outcome) is not Verdict.WRONG, (cut, outcome)


def test_without_the_host_that_we_added_a_request_is_refused(
    on: Stage, corpus: Corpus, hostless: Case
) -> None:
    outcome = on.send(hostless.data + CANARY, "whole")
    assert outcome.verdict is Verdict.REFUSED
    # One of HTTP/1.0 may stand before it.
    assert outcome.served == list(hostless.requests)[: len(outcome.served)]


def test_a_corpus_is_read_whole(corpus: Corpus) -> None:
    assert (len(corpus.cases), len(corpus.excluded)) == SIZES[corpus.name]
    names = [case.name for case in corpus.cases] + list(corpus.excluded)
    assert len(set(names)) == len(names)


def test_every_decision_is_about_a_case_there_is_and_says_something_of_its_own(
    corpus: Corpus,
) -> None:
    cases = {case.name: case for case in corpus.cases}
    assert set(corpus.decisions) <= set(cases)
    for name, decision in corpus.decisions.items():
        case = cases[name]
        own = decision.verdict is not case.expected or case.options or case.rest is Rest.OTHER
        assert own, f"{name} is answered as its authors say"
        assert decision.reason


def test_what_depends_on_an_option_of_their_server_is_decided(corpus: Corpus) -> None:
    assert {case.name for case in corpus.cases if case.options} <= set(corpus.decisions)


def test_the_list_of_answers_has_a_line_for_every_case(corpus: Corpus) -> None:
    lines = {line.name: line for line in answers() if line.corpus == corpus.name}
    assert list(lines) == [*(case.name for case in corpus.cases), *corpus.excluded]
    assert [name for name, line in lines.items() if line.verdict is Verdict.WRONG] == []
    for name in {*corpus.decisions, *corpus.excluded}:
        assert lines[name].reason
    assert {line.answer for line in lines.values()} >= {"200", "400"}
