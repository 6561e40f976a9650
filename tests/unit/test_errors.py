"""The exceptions: who broke the rules, and what the original raised in the same place."""

import pytest

from socketio import errors

TREE = [
    (errors.SocketIOError, Exception),
    (errors.PeerError, errors.SocketIOError),
    (errors.DecodeError, errors.PeerError),
    (errors.DecodeError, ValueError),
    (errors.PayloadError, errors.DecodeError),
    (errors.UsageError, errors.SocketIOError),
    (errors.EncodeError, errors.UsageError),
    (errors.EncodeError, ValueError),
    (errors.EncodeError, KeyError),
    (errors.NotOurServerError, errors.UsageError),
    (errors.NotOurServerError, KeyError),
    (errors.UnauthorizedError, errors.SocketIOError),
    (errors.ConfigError, errors.SocketIOError),
    (errors.ConfigError, ValueError),
    (errors.UnknownOptionError, errors.ConfigError),
    (errors.UnknownOptionError, TypeError),
]


@pytest.mark.parametrize(("child", "parent"), TREE)
def test_an_error_is_caught_as_what_it_is(child, parent):
    with pytest.raises(parent):
        raise child("text")


def test_every_exported_error_is_in_the_tree():
    assert {child.__name__ for child, _ in TREE} == set(errors.__all__)


@pytest.mark.parametrize("name", sorted(errors.__all__))
def test_the_text_of_an_error_is_shown_as_it_was_given(name):
    # KeyError alone would show the repr of it.
    assert str(getattr(errors, name)("what 'is' wrong")) == "what 'is' wrong"


def test_peer_and_application_are_never_to_blame_for_the_same_error():
    exported = [getattr(errors, name) for name in errors.__all__]
    families = (errors.PeerError, errors.UsageError, errors.ConfigError, errors.UnauthorizedError)
    for error in exported:
        assert sum(issubclass(error, family) for family in families) == (
            error is not errors.SocketIOError
        )
