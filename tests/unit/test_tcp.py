"""What the kernel tells about a connection, on real ones."""

import os

import pytest
from gevent import socket as gsocket

from socketio.tcp import Peer, look_at_peer, unacknowledged
from tests.client import wait_for


class Ends:
    """Both ends of a TCP connection."""

    def __init__(self):
        # Not create_server(): gevent has only the standard library's.
        with gsocket.socket() as listener:
            # Small buffers: they have to be filled to the last byte.
            listener.setsockopt(gsocket.SOL_SOCKET, gsocket.SO_RCVBUF, 65536)
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            self.peer = gsocket.create_connection(listener.getsockname())
            self.ours, _ = listener.accept()
        self.ours.setsockopt(gsocket.SOL_SOCKET, gsocket.SO_SNDBUF, 65536)

    def fill(self):
        """Write until the kernel takes no more."""
        self.ours.settimeout(0.0)
        with pytest.raises(BlockingIOError):
            while True:
                self.ours.send(bytes(65536))
        self.ours.settimeout(None)

    def news(self):
        """Return the first thing to be seen of the peer that is not OPEN."""

        def seen():
            peer = look_at_peer(self.ours)
            return peer is not Peer.OPEN and peer

        return wait_for(seen)


@pytest.fixture
def ends():
    ends = Ends()
    yield ends
    ends.ours.close()
    ends.peer.close()


def test_a_peer_that_says_nothing_is_open(ends):
    assert look_at_peer(ends.ours) is Peer.OPEN
    assert unacknowledged(ends.ours) == 0


def test_looking_takes_no_data(ends):
    ends.peer.sendall(b"data")
    wait_for(lambda: ends.ours.recv(4, gsocket.MSG_PEEK) == b"data")
    assert [look_at_peer(ends.ours) for _ in range(3)] == [Peer.OPEN] * 3
    assert ends.ours.recv(100) == b"data"


def test_the_end_is_seen_behind_data_that_nobody_has_read(ends):
    ends.peer.sendall(b"data")
    ends.peer.shutdown(gsocket.SHUT_WR)
    assert ends.news() is Peer.CLOSED
    assert ends.ours.recv(100) == b"data"
    assert look_at_peer(ends.ours) is Peer.CLOSED


def test_our_own_end_is_no_byte_that_the_peer_owes_us(ends):
    ends.ours.sendall(b"data")
    ends.ours.shutdown(gsocket.SHUT_WR)
    assert ends.peer.recv(100) == b"data"
    wait_for(lambda: not unacknowledged(ends.ours, half_closed=True))
    ends.peer.close()
    wait_for(lambda: look_at_peer(ends.ours, half_closed=True) is Peer.CLOSED)


@pytest.mark.parametrize("end", [gsocket.SHUT_WR, gsocket.SHUT_RDWR, None])
def test_a_peer_that_ended_its_side_is_closed(ends, end):
    if end is None:
        ends.peer.close()
    else:
        ends.peer.shutdown(end)
    assert ends.news() is Peer.CLOSED
    assert look_at_peer(ends.ours) is Peer.CLOSED


def test_a_peer_that_read_all_and_closed_is_closed(ends):
    ends.ours.sendall(b"all of it")
    wait_for(lambda: ends.peer.recv(9, gsocket.MSG_PEEK) == b"all of it")
    assert ends.peer.recv(9) == b"all of it"
    wait_for(lambda: unacknowledged(ends.ours) == 0)
    ends.peer.close()
    assert ends.news() is Peer.CLOSED


def test_a_peer_that_read_a_part_and_closed_is_broken(ends):
    ends.ours.sendall(b"only a part of it")
    assert ends.peer.recv(4) == b"only"
    ends.peer.close()
    assert ends.news() is Peer.BROKEN
    # The system says so once, and then that nothing more comes.
    assert look_at_peer(ends.ours) is not Peer.OPEN


def test_a_peer_that_closed_with_something_of_ours_on_the_way_is_broken(ends):
    ends.fill()
    ends.peer.shutdown(gsocket.SHUT_WR)
    assert ends.news() is Peer.BROKEN
    assert look_at_peer(ends.ours) is Peer.BROKEN


def test_bytes_that_the_peer_takes_later_are_confirmed_then(ends):
    assert unacknowledged(ends.ours) == 0
    ends.fill()
    # Over loopback the kernel confirms at once what fits the peer's buffer: the rest stays.
    waiting = unacknowledged(ends.ours)
    assert waiting > 0
    assert look_at_peer(ends.ours) is Peer.OPEN

    def drained():
        ends.peer.recv(1 << 20)
        return unacknowledged(ends.ours) == 0

    wait_for(drained)


@pytest.mark.parametrize("timeout", [None, 0.0, 5.0])
@pytest.mark.parametrize("state", ["open", "closed", "data"])
def test_the_timeout_of_the_socket_stays_as_it_was(ends, state, timeout):
    if state == "closed":
        ends.peer.close()
        assert ends.news() is Peer.CLOSED
    if state == "data":
        ends.peer.sendall(b"data")
    ends.ours.settimeout(timeout)
    look_at_peer(ends.ours)
    assert ends.ours.gettimeout() == timeout


def test_a_socket_we_have_closed_is_broken(ends):
    ends.ours.close()
    assert look_at_peer(ends.ours) is Peer.BROKEN


def test_a_socket_we_have_closed_owes_nothing(ends):
    ends.fill()
    ends.ours.close()
    assert unacknowledged(ends.ours) == 0


def test_a_socket_whose_descriptor_is_closed_owes_nothing(ends):
    ends.fill()
    os.close(ends.ours.fileno())
    try:
        assert unacknowledged(ends.ours) == 0
    finally:
        ends.ours.detach()


def test_a_socket_we_have_shut_down_is_not_open(ends):
    ends.ours.shutdown(gsocket.SHUT_RDWR)
    assert look_at_peer(ends.ours) is not Peer.OPEN


def test_a_socket_that_never_had_a_peer_is_broken():
    with gsocket.socket() as sock:
        assert look_at_peer(sock) is Peer.BROKEN
        assert unacknowledged(sock) == 0


def test_nothing_is_owed_where_the_system_does_not_tell():
    with open(os.devnull, "rb") as file:
        assert unacknowledged(file) == 0
