"""What the test-suite of the original demands of a virtual socket, tested in its way."""

import pytest

from socketio.namespace import BaseNamespace
from socketio.virtsocket import Socket
from tests.compat.standins import StandInServer


class MockSocket(Socket):
    """Old tests work with an empty subclass."""


@pytest.fixture
def server():
    return StandInServer()


@pytest.fixture
def virtsocket(server):
    return MockSocket(server, {})


def test_set_namespaces_keeps_the_mapping(virtsocket):
    namespaces = {"/": BaseNamespace}
    virtsocket._set_namespaces(namespaces)
    assert virtsocket.namespaces == namespaces


def test_set_request_keeps_any_object(virtsocket):
    request = {"test": "a"}
    virtsocket._set_request(request)
    assert virtsocket.request == request


def test_set_environ_keeps_even_what_is_no_mapping(virtsocket):
    environ = []
    virtsocket._set_environ(environ)
    assert virtsocket.environ is environ


def test_a_socket_is_connected_once_somebody_says_so(virtsocket):
    assert not virtsocket.connected
    virtsocket.state = "CONNECTED"
    assert virtsocket.connected


def test_counting_a_hit_does_not_change_the_state(virtsocket):
    virtsocket.state = "CONNECTED"
    virtsocket.incr_hits()
    assert virtsocket.hits == 1
    assert virtsocket.state == virtsocket.STATE_CONNECTED


def test_disconnect_leaves_no_active_namespace_and_the_state_disconnecting(virtsocket):
    virtsocket.state = "CONNECTED"
    virtsocket.active_ns = {"test": BaseNamespace({"socketio": virtsocket}, "test")}
    virtsocket.disconnect()
    assert virtsocket.state == "DISCONNECTING"
    assert virtsocket.active_ns == {}


def test_kill_leaves_a_connected_socket_disconnecting(virtsocket):
    virtsocket.state = "CONNECTED"
    virtsocket.kill()
    assert virtsocket.state == "DISCONNECTING"


def test_the_receiver_loop_can_be_spawned_and_killed(virtsocket):
    virtsocket.state = "CONNECTED"
    job = virtsocket._spawn_receiver_loop()
    assert job in virtsocket.jobs
    virtsocket.kill()
    job.join(timeout=5)
    assert job.dead
