"""How a handler wants to be called, read from its signature."""

import functools
import gc
import types
import weakref

import pytest

from socketio.dispatch import HandlerShape, find_method, shape_of


def method(function):
    """Return ``function`` as a method of some object."""
    return types.MethodType(function, object())


ANYTHING = HandlerShape(least=0, most=None)


@pytest.mark.parametrize(
    ("function", "least", "most"),
    [
        (lambda self: 0, 0, 0),
        (lambda self, a: 0, 1, 1),
        (lambda self, a, b: 0, 2, 2),
        (lambda self, a, b=1: 0, 1, 2),
        (lambda self, a=1, b=2: 0, 0, 2),
        (lambda self, a, /, b: 0, 2, 2),
        (lambda self, /, a: 0, 1, 1),
        (lambda self, *args: 0, 0, None),
        (lambda self, a, *args: 0, 1, None),
        (lambda self, a, **kwargs: 0, 1, 1),
        (lambda self, a, *, b=1: 0, 1, 1),
        (lambda self, *args, packet=None: 0, 0, None),
    ],
)
def test_the_number_of_arguments_is_what_the_signature_takes(function, least, most):
    shape = shape_of(method(function))
    assert shape == HandlerShape(least=least, most=most)
    for count in range(5):
        taken = least <= count and (most is None or count <= most)
        assert shape.takes(count) is taken


@pytest.mark.parametrize(
    "function", [lambda self, packet: 0, lambda self, packet=None: 0, lambda self, packet, /: 0]
)
def test_one_parameter_named_packet_is_the_packet_form(function):
    assert shape_of(method(function)).wants_packet


@pytest.mark.parametrize(
    "function",
    [
        lambda self: 0,
        lambda self, package: 0,
        lambda self, packet, more: 0,
        lambda self, more, packet: 0,
        lambda self, packet, *more: 0,
        lambda self, packet, **more: 0,
        lambda self, *packet: 0,
        lambda self, **packet: 0,
        lambda self, *, packet: 0,
    ],
)
def test_packet_beside_another_parameter_is_an_ordinary_name(function):
    assert not shape_of(method(function)).wants_packet


@pytest.mark.parametrize(
    "function", [lambda: 0, lambda a: 0, lambda this, packet: 0, lambda a, self: 0]
)
def test_a_function_whose_first_parameter_is_not_self_is_no_method(function):
    assert shape_of(function).lacks_self


def test_a_wrapper_that_passes_everything_on_takes_anything():
    assert shape_of(method(lambda *args: 0)) == ANYTHING
    assert shape_of(method(lambda *args, **kwargs: 0)) == ANYTHING


@pytest.mark.parametrize("callable_", [functools.partial(print), len, print, object(), [].append])
def test_what_has_no_python_signature_takes_anything(callable_):
    assert shape_of(callable_) == ANYTHING


def decorated(wrapper, function):
    return functools.wraps(function)(wrapper)


@pytest.mark.parametrize(
    ("wrapper", "function", "shape"),
    [
        # Adds an argument of its own to those of the client.
        (lambda self, *args: 0, lambda self, user: 0, ANYTHING),
        (lambda self, *args, **kwargs: 0, lambda self, user, room: 0, ANYTHING),
        # Takes one that the handler never sees.
        (lambda self, token, a: 0, lambda self, a: 0, HandlerShape(least=2, most=2)),
        # Gives the handler something else than the packet.
        (lambda self, data: 0, lambda self, packet: 0, HandlerShape(least=1, most=1)),
        (lambda self, packet: 0, lambda self, a, b: 0, HandlerShape(wants_packet=True)),
    ],
)
def test_of_a_decorated_handler_the_wrapper_is_what_counts(wrapper, function, shape):
    assert shape_of(method(decorated(wrapper, function))) == shape


def test_a_function_is_looked_at_once_and_not_kept_alive():
    def handler(self, a):
        pass

    first = shape_of(method(handler))
    assert shape_of(method(handler)) is first
    gone = weakref.ref(handler)
    del handler
    gc.collect()
    assert gone() is None


# -- find_method() ---------------------------------------------------------------------------------


class Owner:
    text = "on"

    def present(self):
        return "here"

    @property
    def broken(self):
        raise ZeroDivisionError

    def __getattr__(self, name):
        raise {"missing": AttributeError, "odd": RuntimeError, "key": KeyError}[name](name)


def test_a_method_is_found():
    owner = Owner()
    owner.own = lambda: "own"
    assert find_method(owner, "present")() == "here"
    assert find_method(owner, "own")() == "own"


@pytest.mark.parametrize("name", ["text", "broken", "missing", "odd", "key", "not even a key"])
def test_whatever_goes_wrong_means_that_there_is_none(name):
    assert find_method(Owner(), name) is None
