"""What we answer to every case, for the tests and for whoever wants to list it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.corpora import gunicorn, llhttp
from tests.corpora.cases import Case, Corpus, Request, Rest, Verdict
from tests.corpora.sending import Outcome, stage

READERS = {"gunicorn": gunicorn.read_corpus, "llhttp": llhttp.read_corpus}


class Answer(NamedTuple):
    """One line of the list."""

    corpus: str
    name: str
    answer: str
    """Status codes, or ``closed``; ``not sent`` for a case that is excluded."""
    verdict: Verdict
    reason: str
    """Why that is not what the authors of the case have in mind; otherwise empty."""


def answers() -> Iterator[Answer]:
    """Send every case of every corpus, whole, and yield what comes of it."""
    for read in READERS.values():
        corpus = read()
        with stage() as on:
            for case in corpus.cases:
                outcome = on.send(case.hosted, "whole")
                decision = corpus.decisions.get(case.name)
                reason = decision.reason if decision else ""
                verdict = judge(corpus, case, outcome)
                yield Answer(corpus.name, case.name, outcome.answer, verdict, reason)
        for name, reason in corpus.excluded.items():
            yield Answer(corpus.name, name, "not sent", Verdict.EXCLUDED, reason)


def judge(corpus: Corpus, case: Case, outcome: Outcome) -> Verdict:
    """Return what we made of a case, which is wrong unless it is as expected or decided."""
    served = outcome.served
    sound = [request.as_it_arrives() for request in case.requests]
    wanted = case.expected
    if case.name in corpus.decisions:
        wanted = corpus.decisions[case.name].verdict
        # The authors do not say what is in it for us.
        sound = [first_request(case, served)] if wanted is Verdict.SERVED else []
    if case.rest is Rest.OTHER:
        # Behind the request stands what the parser leaves alone, and we read as another one.
        right = served[: len(sound)] == sound
    else:
        right = outcome.verdict is wanted and served == sound
    return wanted if right else Verdict.WRONG


def first_request(case: Case, served: list[Request]) -> Request:
    """Return the request that the first line of a case stands for, with the body it got."""
    method, target, _ = case.data.decode("latin-1").split(" ", 2)
    return Request(method, target, served[0].body if served else b"")
