"""Every vector of ``tests/wsvectors``, over a real server and real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import serving
from tests.wsvectors import NAMESPACES, VECTORS, run_vector
from tests.wsvectors.vector import Vector


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with serving(NAMESPACES) as server:
        yield server


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_what_no_good_client_sends_is_answered_as_it_should_and_others_are_served(
    server: Any, vector: Vector
) -> None:
    assert run_vector(server, vector) == vector.expected


def test_there_are_more_vectors_than_promised_and_no_two_of_a_name() -> None:
    names = [vector.name for vector in VECTORS]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
