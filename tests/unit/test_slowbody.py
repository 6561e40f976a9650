"""The body of a request, piece by piece, and what happens when the next piece does not come."""

import gevent
import pytest
from gevent import socket

from socketio.slowbody import BodyTimeout, SlowBody

LONG = 60
SHORT = 0.02


def never():
    raise AssertionError("it is not late")


@pytest.fixture
def wire():
    """Return a function that makes a body of so many seconds, and the other end of it."""
    ends = []

    def connect(seconds=LONG, on_late=lambda: None):
        ours, theirs = socket.socketpair()
        rfile = ours.makefile("rb")
        ends.extend([rfile, ours, theirs])
        return SlowBody(rfile, seconds, on_late), theirs

    yield connect
    for end in ends:
        end.close()


def send_steadily(sock, pieces):
    def send():
        for piece in pieces:
            sock.sendall(piece)
            gevent.sleep(0.001)

    return gevent.spawn(send)


def test_a_body_that_is_there_is_read_at_once(wire):
    body, peer = wire()
    peer.sendall(b"0123456789")
    assert body.read(4) == b"0123"
    assert body.read(6) == b"456789"
    assert body.late is None


def test_nothing_is_waited_for_where_nothing_is_wanted(wire):
    body, _ = wire(SHORT)
    assert body.read(0) == b""
    assert body.readline(0) == b""
    assert body.late is None


@pytest.mark.parametrize("size", [1, 100, 65535, 65536, 65537, 1_000_000])
def test_what_comes_in_pieces_is_put_together_up_to_the_size_asked_for(wire, size):
    body, peer = wire()
    data = bytes(number % 251 for number in range(size + 10))
    sender = gevent.spawn(peer.sendall, data)
    assert body.read(size) == data[:size]
    assert body.read(10) == data[size:]
    sender.join()


def test_a_body_may_take_longer_than_the_pause_if_it_comes_steadily(wire):
    body, peer = wire(1)
    sender = gevent.spawn(lambda: [(peer.sendall(b"x"), gevent.sleep(0.05)) for _ in range(25)])
    assert body.read(25) == b"x" * 25
    sender.join()
    assert body.late is None


def test_a_pause_is_a_timeout_and_an_error_of_the_connection(wire):
    body, peer = wire(SHORT)
    peer.sendall(b"012")
    with pytest.raises(BodyTimeout, match="the client did not send its body in time") as caught:
        body.read(4)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, OSError)
    assert body.late is caught.value


def test_a_pause_is_told_once(wire):
    told = []
    body, _ = wire(SHORT, lambda: told.append(body.late))
    for _ in range(3):
        with pytest.raises(BodyTimeout) as caught:
            body.read(4)
    assert told == [caught.value]


@pytest.mark.parametrize("again", ["read", "readline"])
def test_after_a_pause_nothing_is_read_any_more(wire, again):
    body, peer = wire(SHORT)
    with pytest.raises(BodyTimeout) as first:
        body.read(4)
    peer.sendall(b"0123\n")
    with pytest.raises(BodyTimeout) as second:
        getattr(body, again)(4)
    assert second.value is first.value


def test_the_end_of_the_connection_ends_what_is_read(wire):
    body, peer = wire()
    peer.sendall(b"012")
    peer.shutdown(socket.SHUT_WR)
    assert body.read(10) == b"012"
    assert body.read(10) == b""
    assert body.readline() == b""
    assert body.late is None


def test_a_broken_connection_is_an_error_of_its_own(wire):
    class Broken:
        def read1(self, size):
            raise ConnectionResetError

    body = SlowBody(Broken(), LONG, never)
    with pytest.raises(ConnectionResetError):
        body.read(1)
    assert body.late is None


# -- lines -----------------------------------------------------------------------------------------


def test_a_line_ends_behind_its_line_feed_and_the_rest_stays(wire):
    body, peer = wire()
    peer.sendall(b"one\ntwo\r\n\nrest")
    peer.shutdown(socket.SHUT_WR)
    assert [body.readline() for _ in range(5)] == [b"one\n", b"two\r\n", b"\n", b"rest", b""]


@pytest.mark.parametrize("pieces", [[b"o", b"n", b"e\nt", b"wo\n"], [b"one\n", b"two\n"]])
def test_a_line_that_comes_in_pieces_is_put_together(wire, pieces):
    body, peer = wire()
    sender = send_steadily(peer, pieces)
    assert [body.readline(), body.readline()] == [b"one\n", b"two\n"]
    sender.join()


@pytest.mark.parametrize(
    ("size", "lines"),
    [
        (1, [b"o", b"n", b"e", b"\n", b"t"]),
        (3, [b"one", b"\n", b"two", b"\n", b"end"]),
        (4, [b"one\n", b"two\n", b"end", b"", b""]),
        (100, [b"one\n", b"two\n", b"end", b"", b""]),
    ],
)
def test_a_line_has_at_most_the_size_asked_for(wire, size, lines):
    body, peer = wire()
    peer.sendall(b"one\ntwo\nend")
    peer.shutdown(socket.SHUT_WR)
    assert [body.readline(size) for _ in range(5)] == lines


def test_a_line_longer_than_every_buffer_is_read_whole(wire):
    body, peer = wire()
    line = b"x" * 300_000 + b"\n"
    sender = gevent.spawn(peer.sendall, line + b"next\n")
    assert body.readline() == line
    assert body.readline() == b"next\n"
    sender.join()


def test_reading_and_reading_lines_go_on_from_each_other(wire):
    body, peer = wire()
    peer.sendall(b"one\ntwo\nthree\n")
    assert (body.read(2), body.readline(), body.read(1), body.readline()) == (
        *(b"on", b"e\n"),
        *(b"t", b"wo\n"),
    )
    assert body.read(6) == b"three\n"


def test_a_pause_in_a_line_is_a_timeout_too(wire):
    body, peer = wire(SHORT)
    peer.sendall(b"a line that does not e")
    with pytest.raises(BodyTimeout):
        body.readline()
    assert body.late is not None


# -- other timeouts --------------------------------------------------------------------------------


def test_a_timeout_of_the_application_is_its_own(wire):
    body, peer = wire()
    with pytest.raises(gevent.Timeout) as caught, gevent.Timeout(SHORT) as timer:
        body.read(4)
    assert caught.value is timer
    assert body.late is None
    peer.sendall(b"0123")
    assert body.read(4) == b"0123"


def test_a_timeout_of_another_body_is_not_taken_for_this_ones(wire):
    inner, _ = wire(SHORT)

    class Passing:
        def read1(self, size):
            return inner.read(size)

    body = SlowBody(Passing(), LONG, never)
    with pytest.raises(BodyTimeout):
        body.read(4)
    assert inner.late is not None
    assert body.late is None


def test_no_timer_is_left_behind(wire):
    body, peer = wire(SHORT)
    peer.sendall(b"0123")
    assert body.read(4) == b"0123"
    gevent.sleep(SHORT * 3)  # nothing is thrown into this greenlet
