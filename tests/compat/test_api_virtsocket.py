"""The interface of ``socketio.virtsocket``, row by row."""

import functools
import gc
import logging
import weakref
from unittest.mock import MagicMock

import gevent
import pytest
from gevent.queue import Empty

from socketio.namespace import BaseNamespace
from socketio.testing import ManualClock
from socketio.virtsocket import Socket, default_error_handler
from tests.client import Recorder, WebSocketClient, event, handshake, serving, wait_for
from tests.compat.standins import (
    StandInServer,
    client_of,
    connected_socket,
    online,
    put_in,
    queued,
    session,
)
from tests.streams import EVERY


@pytest.fixture
def server():
    return StandInServer()


@pytest.fixture
def socket(server):
    return connected_socket(server)


every = pytest.mark.parametrize("transport", EVERY)


# -- default_error_handler -------------------------------------------------------------------------


def test_the_default_error_handler_sends_the_event_error_on_the_endpoint(socket):
    default_error_handler(socket, "name", "message", "/chat", None, False)
    assert queued(socket) == ['5::/chat:{"args":["name","message"],"name":"error"}']


@pytest.mark.parametrize("endpoint", [None, ""])
def test_the_default_error_handler_takes_no_endpoint_as_the_global_one(socket, endpoint):
    default_error_handler(socket, "name", "message", endpoint, None, False)
    assert queued(socket) == ['5:::{"args":["name","message"],"name":"error"}']


@pytest.mark.parametrize("msg_id", [0, 7])
def test_the_default_error_handler_repeats_the_id_of_the_packet(socket, msg_id):
    default_error_handler(socket, "name", "message", "/chat", msg_id, False)
    assert queued(socket) == [f'5:{msg_id}:/chat:{{"args":["name","message"],"name":"error"}}']


@pytest.mark.parametrize("quiet", [False, True])
def test_the_default_error_handler_always_logs_and_sends_unless_quiet(socket, quiet, caplog):
    with caplog.at_level(logging.WARNING, logger="socketio.virtsocket"):
        default_error_handler(socket, "a_name", "a message", "/chat", None, quiet)
    assert "a_name" in caplog.text
    assert "a message" in caplog.text
    assert len(queued(socket)) == (0 if quiet else 1)


# -- Socket(server, config, error_handler=None) ----------------------------------------------------


class Untouchable(dict):
    """A configuration that must not be read."""

    def __getitem__(self, key):
        raise AssertionError(f"config[{key!r}] was read")

    get = __contains__ = __getitem__

    def __iter__(self):
        raise AssertionError("config was read")

    keys = values = items = __iter__


def greenlets():
    # Asked for its type, for a dead proxy cannot be asked with isinstance().
    found = (o for o in gc.get_objects() if issubclass(type(o), gevent.Greenlet))
    return {o for o in found if not o.dead}


def test_building_a_socket_starts_nothing_and_reads_no_config(server):
    before = greenlets()
    sockets = [Socket(server, Untouchable()) for _ in range(5)]
    assert all(socket.jobs == [] for socket in sockets)
    assert greenlets() <= before  # others may end meanwhile
    assert server.sockets == {}


def test_the_states_are_words_in_capitals():
    assert Socket.STATE_CONNECTING == "CONNECTING"
    assert Socket.STATE_CONNECTED == "CONNECTED"
    assert Socket.STATE_DISCONNECTING == "DISCONNECTING"
    assert Socket.STATE_DISCONNECTED == "DISCONNECTED"


def test_the_name_of_the_global_namespace_is_empty():
    assert Socket.GLOBAL_NS == ""


@pytest.mark.parametrize(
    "state", ["NEW", "CONNECTING", "CONNECTED", "DISCONNECTING", "DISCONNECTED"]
)
def test_a_state_may_be_assigned_and_compares_as_plain_text(server, state):
    socket = Socket(server, {})
    assert socket.state == "NEW"
    socket.state = state
    assert socket.state == state
    assert f"{socket.state}" == str(socket.state) == state
    assert {state: 1}[socket.state] == 1
    assert socket.connected is (state == "CONNECTED")


def test_session_ids_are_texts_of_decimal_digits_and_differ(server):
    ids = {Socket(server, {}).sessid for _ in range(1000)}
    assert len(ids) == 1000
    assert all(type(sessid) is str and sessid.isascii() and sessid.isdigit() for sessid in ids)


def test_each_socket_has_a_dictionary_of_its_own_that_its_namespaces_share(server):
    one, other = connected_socket(server), connected_socket(server)
    assert isinstance(one.session, dict)
    assert one.session == {}
    chat, news = put_in(one, BaseNamespace, "/chat"), put_in(one, BaseNamespace, "/news")
    chat.session["nickname"] = "bob"
    assert news.session is chat.session is one.session
    assert one.session == {"nickname": "bob"}
    assert other.session == {}


def test_a_socket_does_not_keep_its_server_alive():
    server = StandInServer()
    socket = Socket(server, {})
    assert socket.server.sockets is server.sockets
    gone = weakref.ref(server)
    del server
    gc.collect()
    assert gone() is None
    with pytest.raises(ReferenceError):
        _ = socket.server.sockets
    socket.detach()  # and can do without it


def test_a_fresh_socket_has_all_its_attributes(server):
    config = {"heartbeat_interval": 5}
    socket = Socket(server, config)
    assert socket.config is config
    assert socket.request is None
    assert socket.environ is None
    assert socket.wsgi_app_greenlet is None
    assert socket.disconnect_reason is None
    assert socket.handshake_environ == {}
    assert socket.namespaces == {}
    assert socket.active_ns == {}
    assert socket.jobs == []
    assert socket.ack_callbacks == {}
    assert (socket.ack_counter, socket.hits, socket.heartbeats) == (0, 0, 0)
    assert socket.connection_established is False
    assert not socket.timeout.is_set()
    assert socket.error_handler is default_error_handler
    assert socket.client_queue.qsize() == socket.server_queue.qsize() == 0
    assert socket.json_dumps({"a": [1]}) == '{"a":[1]}'
    assert socket.json_loads('{"a": [1]}') == {"a": [1]}


def test_the_error_handler_given_to_the_constructor_is_used(server):
    handler = MagicMock()
    socket = Socket(server, {}, handler)
    socket.error("name", "message", endpoint="/chat", msg_id=3, quiet=True)
    handler.assert_called_once_with(socket, "name", "message", "/chat", 3, True)


@pytest.mark.parametrize("name", ["client_queue", "server_queue"])
def test_the_queues_are_queues(socket, name):
    queue = getattr(socket, name)
    queue.put_nowait("one")
    queue.put_nowait("two")
    assert queue.qsize() == 2
    assert queue.get() == "one"
    assert queue.get(block=False) == "two"
    with pytest.raises(Empty):
        queue.get(timeout=0)


# -- its namespaces --------------------------------------------------------------------------------


def test_an_active_namespace_is_found_under_its_name(socket):
    chat = put_in(socket, BaseNamespace, "/chat")
    assert socket["/chat"] is chat
    assert "/chat" in socket
    assert socket.__hasitem__("/chat")


def test_a_namespace_that_is_not_active_is_not_there(socket):
    assert "/chat" not in socket
    assert not socket.__hasitem__("/chat")
    with pytest.raises(KeyError):
        _ = socket["/chat"]


def test_the_active_namespaces_are_an_assignable_dictionary(socket):
    mine = {"/chat": BaseNamespace(socket.environ, "/chat")}
    socket.active_ns = mine
    assert socket.active_ns is mine
    assert socket["/chat"] is mine["/chat"]


@pytest.mark.parametrize("by", ["name", "instance"])
def test_remove_namespace_forgets_it_and_with_the_last_the_session_ends(socket, by):
    for name in ("/chat", "/news"):
        put_in(socket, BaseNamespace, name)
    socket.remove_namespace("/chat" if by == "name" else socket["/chat"])
    assert list(socket.active_ns) == ["/news"]
    assert socket.connected
    socket.remove_namespace("/news" if by == "name" else socket["/news"])
    assert socket.active_ns == {}
    assert socket.state == "DISCONNECTING"


def test_removing_a_namespace_that_is_not_there_is_no_error_and_ends_nothing(socket):
    socket.remove_namespace("/never")
    assert socket.connected


# -- counting and hearing --------------------------------------------------------------------------


def test_hits_are_counted(socket):
    socket.incr_hits()
    socket.incr_hits()
    assert socket.hits == 2


def test_a_heartbeat_is_counted_and_sets_the_timeout_event(socket):
    socket.heartbeat()
    assert socket.timeout.is_set()
    assert socket.heartbeats == 1


def test_server_messages_are_taken_in_order(socket):
    socket.put_server_msg("3:::one")
    socket.put_server_msg("3:::two")
    assert [socket.get_server_msg(), socket.get_server_msg(block=False)] == ["3:::one", "3:::two"]
    with pytest.raises(Empty):
        socket.get_server_msg(timeout=0)


def test_client_messages_are_taken_in_order(socket):
    socket.put_client_msg("3:::one")
    socket.put_client_msg("3:::two")
    assert [socket.get_client_msg(), socket.get_client_msg(block=False)] == ["3:::one", "3:::two"]
    with pytest.raises(Empty):
        socket.get_client_msg(timeout=0)


def test_several_client_messages_are_taken_at_once_after_waiting_for_the_first(socket):
    taken = gevent.spawn(socket.get_multiple_client_msgs)
    gevent.sleep(0)
    assert not taken.dead
    for text in ("one", "two", "three"):
        socket.put_client_msg(text)
    assert taken.get(timeout=5) == ["one", "two", "three"]
    with pytest.raises(Empty):
        socket.get_multiple_client_msgs(timeout=0)


def test_a_packet_is_sent_as_its_wire_text(socket):
    socket.send_packet({"type": "event", "name": "news", "args": [1], "endpoint": "/chat"})
    socket.send_packet({"type": "message", "data": "hi"})
    assert queued(socket) == ['5::/chat:{"args":[1],"name":"news"}', "3:::hi"]


def test_a_packet_may_carry_args_that_are_no_list(socket):
    # Applications call send_packet() with a dictionary of their own.
    socket.send_packet({"type": "event", "name": "news", "args": ("a", 1), "endpoint": ""})
    socket.send_packet({"type": "event", "name": "news", "args": {"a": 1}, "endpoint": ""})
    assert queued(socket) == [
        '5:::{"args":["a",1],"name":"news"}',
        '5:::{"args":{"a":1},"name":"news"}',
    ]


def test_errors_reach_the_handler_that_was_set(socket):
    handler = MagicMock()
    socket._set_error_handler(handler)
    socket.error("name", "message")
    handler.assert_called_once_with(socket, "name", "message", None, None, False)


def test_an_error_handler_that_raises_is_logged_and_harms_nobody(socket, caplog):
    socket._set_error_handler(MagicMock(side_effect=ZeroDivisionError("of the handler")))
    socket.error("name", "message")
    assert "of the handler" in caplog.text


# -- greenlets -------------------------------------------------------------------------------------


def test_spawn_runs_the_function_in_a_greenlet_owned_by_the_socket(socket):
    record = Recorder()
    job = socket.spawn(record, "one", "two")
    assert isinstance(job, gevent.Greenlet)
    assert job in socket.jobs
    job.join(timeout=5)
    assert record.seen == [("one", "two")]
    wait_for(lambda: socket.jobs == [], "a finished job removes itself")


@pytest.mark.parametrize(
    "function", [functools.partial(Recorder()), Recorder(), MagicMock(spec=[]), lambda: None]
)
def test_what_is_spawned_needs_no_name(socket, function):
    job = socket.spawn(function)
    job.join(timeout=5)
    assert job.successful()


def test_the_jobs_of_a_socket_are_killed_with_it(socket):
    job = socket.spawn(gevent.sleep, 3600)
    socket.kill()
    job.join(timeout=5)
    assert job.dead


@pytest.mark.parametrize("spawn", ["_spawn_receiver_loop", "_spawn_watcher"])
def test_what_is_spawned_for_a_session_can_be_joined(socket, spawn):
    # Home-made versions of socketio_manage() hand both to gevent.joinall().
    job = getattr(socket, spawn)()
    socket.kill()
    assert gevent.joinall([job], timeout=5) == [job]


def test_the_receiver_loop_is_a_job_of_the_socket_and_calls_the_method(server):
    class Own(Socket):
        def _receiver_loop(self):
            self.session["looped"] = True

    socket = connected_socket(server, Own)
    job = socket._spawn_receiver_loop()
    assert job in socket.jobs
    job.join(timeout=5)
    assert socket.session["looped"]


def test_spawn_heartbeat_begins_the_heartbeats_and_may_be_called_again():
    clock = ManualClock()
    with online({"": BaseNamespace}, clock=clock) as client:
        client.socket._spawn_heartbeat()
        client.socket._spawn_heartbeat()
        clock.advance(25)
        assert client.recv() == "2::"
        clock.advance(25)
        assert client.recv() == "2::"


@pytest.mark.parametrize("name", ["_heartbeat", "_heartbeat_timeout", "_watcher"])
def test_overriding_what_is_never_called_any_more_warns(name):
    with pytest.warns(DeprecationWarning, match=f"{name}\\(\\) is never called"):
        type("Own", (Socket,), {name: lambda self: None})


# -- what socketio_manage() sets -------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["namespaces", "request", "environ", "error_handler", "json_loads", "json_dumps"],
)
def test_each_setter_sets_the_attribute_of_its_name(socket, name):
    value = MagicMock()
    getattr(socket, f"_set_{name}")(value)
    assert getattr(socket, name) is value


def test_the_json_functions_of_a_socket_are_used_both_ways():
    dumps, loads = MagicMock(return_value="WRITTEN"), MagicMock(return_value={"name": "made_up"})

    class Chat(BaseNamespace):
        def on_made_up(self):
            self.emit("anything")

    with session(Chat, json_loads=loads, json_dumps=dumps) as on:
        assert on.tell("5::/chat:whatever") == ["5::/chat:WRITTEN"]
    loads.assert_called_once_with("whatever")
    dumps.assert_called_once_with({"name": "anything"})


# -- acks ------------------------------------------------------------------------------------------


def test_packet_ids_count_from_1(socket):
    assert [socket._get_next_msgid() for _ in range(3)] == [1, 2, 3]
    assert socket.ack_counter == 3


def test_an_ack_callback_is_kept_once_and_given_back_once(socket):
    assert socket._save_ack_callback(1, print) is not False
    assert socket._save_ack_callback(1, repr) is False
    assert socket.ack_callbacks == {1: print}
    assert socket._pop_ack_callback(1) is print
    assert socket._pop_ack_callback(1) is None
    assert socket._pop_ack_callback(999) is None


def test_the_callbacks_are_dropped_when_the_session_is_over(socket):
    socket._save_ack_callback(1, print)
    socket.kill()
    wait_for(lambda: socket.state == "DISCONNECTED")
    assert socket.ack_callbacks == {}


# -- str(socket) -----------------------------------------------------------------------------------


def test_a_fresh_socket_shows_its_session_id_alone(server):
    socket = Socket(server, {})
    assert str(socket) == f"sessid='{socket.sessid}'"


def test_a_busy_socket_shows_everything(socket):
    socket.put_client_msg("one")
    socket.put_server_msg("two")
    socket.put_server_msg("three")
    socket.incr_hits()
    socket.heartbeat()
    assert str(socket) == (
        f"sessid='{socket.sessid}' connected client_queue[1] server_queue[2] hits=1 heartbeats=1"
    )


# -- the end ---------------------------------------------------------------------------------------


class Told(BaseNamespace):
    """Counts how often it is told that it is over."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.told = 0

    def recv_disconnect(self):
        self.told += 1


@pytest.mark.parametrize("end", ["kill", "disconnect"])
def test_the_end_tells_each_namespace_once_however_often_it_is_asked_for(socket, end):
    socket.config = {"linger_timeout": 0.05}
    spaces = [put_in(socket, Told, name) for name in ("", "/chat", "/news")]
    for _ in range(3):
        getattr(socket, end)()
        assert socket.state == "DISCONNECTING"
        assert socket.active_ns == {}
    wait_for(lambda: socket.state == "DISCONNECTED")
    socket.kill()
    socket.disconnect()
    assert [ns.told for ns in spaces] == [1, 1, 1]
    assert socket.state == "DISCONNECTED"


@pytest.mark.parametrize("end", ["kill", "disconnect"])
def test_the_end_may_come_from_many_greenlets_at_once(socket, end):
    ns = put_in(socket, Told, "/chat")
    jobs = [gevent.spawn(getattr(socket, end)) for _ in range(10)]
    gevent.joinall(jobs, timeout=5)
    assert all(job.successful() for job in jobs)
    assert ns.told == 1


def test_disconnect_tells_the_client_to_stay_away_and_silently_does_not(server):
    for silent, said in ((False, ["0::"]), (True, [])):
        socket = connected_socket(server)
        socket.disconnect(silent=silent)
        assert queued(socket) == said


def test_kill_does_not_tell_the_client_to_stay_away(socket):
    socket.kill()
    assert queued(socket) == []


def test_kill_takes_the_socket_out_of_the_table_at_once_if_asked_to(server):
    kept, gone = connected_socket(server), connected_socket(server)
    kept.kill()
    gone.kill(detach=True)
    assert list(server.sockets) == [kept.sessid]
    wait_for(lambda: server.sockets == {}, "the other one leaves when it is through")


def test_detach_takes_the_socket_out_of_the_table_and_may_be_called_again(server, socket):
    socket.detach()
    assert server.sockets == {}
    socket.detach()


def test_a_dead_socket_takes_everything_in_silence(socket):
    ns = put_in(socket, BaseNamespace, "/chat")
    socket.kill()
    wait_for(lambda: socket.state == "DISCONNECTED")
    socket.put_client_msg("late")
    socket.put_server_msg("late")
    socket.send_packet({"type": "message", "data": "late"})
    ns.emit("late")
    assert socket.client_queue.qsize() == socket.server_queue.qsize() == 0


def test_the_reason_of_the_end_is_recorded_and_the_first_one_stays(socket):
    socket.disconnect()
    socket.kill()
    assert socket.disconnect_reason == "kicked"


@pytest.mark.parametrize("end", ["kill", "disconnect"])
@every
def test_code_after_the_end_runs_even_in_a_handler_of_the_same_session(transport, end):
    record = Recorder()

    class Chat(BaseNamespace):
        def on_end(self):
            getattr(self.socket, end)()
            gevent.sleep(0)
            record("after", str(self.socket.state))

        def recv_disconnect(self):
            record("told")

    with online({"/chat": Chat}, transport, linger_timeout=0.05) as client:
        client.send(event("end", endpoint="/chat"))
        wait_for(lambda: client.socket.state == "DISCONNECTED")
        assert record.seen == ["told", ("after", "DISCONNECTING")]


def test_a_job_of_the_namespace_that_ends_the_session_runs_on_to_its_end():
    record = Recorder()

    class Chat(BaseNamespace):
        def on_work(self):
            self.spawn(self.work)

        def work(self):
            self.socket.disconnect()
            record("after")

    with online({"/chat": Chat}) as client:
        client.send(event("work", endpoint="/chat"))
        wait_for(lambda: client.socket.state == "DISCONNECTED")
        assert record.seen == ["after"]


def test_the_environ_of_the_handshake_is_kept_as_it_came():
    with serving({"": BaseNamespace}) as server:
        sessid = handshake(server)
        environ = server.sockets[sessid].handshake_environ
        assert environ["PATH_INFO"] == "/socket.io/1/"
        assert environ["QUERY_STRING"] == "t=1"


def test_the_handshake_s_environ_is_not_replaced_by_the_websocket_s():
    with serving({"": BaseNamespace}) as server, client_of(server) as client:
        environ = server.sockets[client.sessid].handshake_environ
        assert environ["PATH_INFO"] == "/socket.io/1/"


def test_the_first_request_establishes_the_connection_and_every_later_one_is_a_hit():
    with serving({"": BaseNamespace}) as server:
        sessid = handshake(server)
        socket = server.sockets[sessid]
        assert socket.state == "NEW"
        assert socket.connection_established is False
        client = WebSocketClient(server, sessid).open()
        assert socket.connected
        assert socket.connection_established is True
        assert socket.hits == 1
        assert socket.wsgi_app_greenlet is not None
        client.close()


# -- packets of one session ------------------------------------------------------------------------


@every
def test_packets_are_handled_one_after_the_other_in_order(transport):
    record = Recorder()

    class Chat(BaseNamespace):
        def on_number(self, number):
            record("begin", number)
            gevent.sleep(0)
            record("end", number)

    with online({"": Chat}, transport) as client:
        client.send(*[event("number", number) for number in range(20)])
        wait_for(lambda: len(record.seen) == 40)
        assert record.seen == [(w, number) for number in range(20) for w in ("begin", "end")]


def test_a_handler_that_blocks_does_not_stop_the_heartbeats():
    clock = ManualClock()

    class Chat(BaseNamespace):
        def on_block(self):
            self.session["blocked"] = True
            gevent.sleep(3600)

    with online({"": Chat}, clock=clock) as client:
        client.send(event("block"))
        wait_for(lambda: client.socket.session)
        for _ in range(3):
            clock.advance(25)
            assert client.recv() == "2::"
            client.send("2::")
            # Not handled while the handler blocks, but heard.
            wait_for(lambda: client.socket.server_queue.qsize())
            client.socket.server_queue.clear()
        assert client.socket.connected
        client.socket.kill()


def test_a_handler_that_blocks_does_not_hide_that_the_client_is_lost():
    record = Recorder()

    class Chat(BaseNamespace):
        def on_block(self):
            record("blocked")
            gevent.sleep(3600)

    clock = ManualClock()
    with online({"": Chat}, clock=clock) as client:
        client.send(event("block"))
        wait_for(lambda: record.seen)
        client.close()
        wait_for(lambda: client.socket.state == "DISCONNECTING")
        clock.advance(client.server.config.close_timeout + 1)
        wait_for(lambda: client.socket.state == "DISCONNECTED")


@pytest.mark.parametrize("text", ["x", "9:::", "3", "4:::{bad", "6:::", "5:::{bad", '5:::["name"]'])
def test_what_cannot_be_understood_is_reported_as_invalid_packet(text):
    with session({"": BaseNamespace}) as on:
        (answer,) = on.tell(text)
        assert answer.startswith('5:::{"args":["invalid_packet",')
        assert answer.endswith('"name":"error"}')


def test_an_endpoint_outside_the_mapping_is_reported_as_no_such_namespace():
    with session({"/chat": BaseNamespace}) as on:
        (answer,) = on.tell("1::/nope")
        assert answer.startswith('5::/nope:{"args":["no_such_namespace",')
        assert on.socket.active_ns == {}


# -- acks the client asks for ----------------------------------------------------------------------


class Acking(BaseNamespace):
    def on_value(self, kind):
        return {
            "tuple": ("a", 1),
            "one": ("a",),
            "empty": (),
            "list": ["a", 1],
            "dict": {"a": 1},
            "none": None,
            "false": False,
        }[kind]

    def recv_message(self, data):
        return data.upper()

    def on_by_packet(self, packet):
        self.ack(packet, "by", "packet")
        return "never seen"

    def on_by_id(self, packet):
        self.ack(packet["id"], "by id")

    def on_later(self, packet):
        self.spawn(self.ack, packet, "later")
        return self.ACK_LATER

    def on_order(self):
        self.emit("first")
        return "second"


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("tuple", '["a",1]'),
        ("one", '["a"]'),
        ("list", '[["a",1]]'),
        ("dict", '[{"a":1}]'),
        ("none", "[null]"),
        ("false", "[false]"),
    ],
)
def test_what_a_handler_returns_is_the_answer_to_an_id_with_plus(kind, args):
    with session(Acking) as on:
        answers = on.tell("1::/chat", event("value", kind, endpoint="/chat", msgid="4+"))
        assert answers == ["1::/chat", f"6::/chat:4+{args}"]


def test_an_empty_tuple_is_an_answer_without_arguments():
    with session(Acking) as on:
        asked = event("value", "empty", endpoint="/chat", msgid="4+")
        assert on.tell("1::/chat", asked)[1:] == ["6::/chat:4"]


def test_a_message_with_plus_is_answered_with_what_recv_message_returns():
    with session({"": Acking}) as on:
        assert on.tell("3:8+::text") == ['6:::8+["TEXT"]']


@pytest.mark.parametrize(
    ("name", "answer"),
    [("by packet", '4+["by","packet"]'), ("by id", '4+["by id"]')],
)
def test_a_handler_that_acked_itself_gets_no_second_ack(name, answer):
    with session(Acking) as on:
        asked = event(name, endpoint="/chat", msgid="4+")
        assert on.tell("1::/chat", asked)[1:] == [f"6::/chat:{answer}"]


def test_an_ack_may_come_later_from_another_greenlet():
    with session(Acking) as on:
        asked = event("later", endpoint="/chat", msgid="4+")
        before, answer = on.tell("1::/chat", asked, "2::", "2::"), []
        wait_for(lambda: answer.extend(queued(on.socket)) or before[1:] + answer)
        assert before[1:] + answer == ['6::/chat:4+["later"]']


def test_the_answer_comes_behind_what_the_handler_sent():
    with session({"": Acking}) as on:
        assert on.tell(event("order", msgid="1+")) == ['5:::{"name":"first"}', '6:::1+["second"]']


@pytest.mark.parametrize(
    "text",
    ["3:1:/chat:hello", "4:1:/chat:{}", event("value", "none", endpoint="/chat", msgid="1")],
)
def test_a_plain_id_is_acknowledged_at_once_without_arguments(text):
    seen = []

    class Chat(Acking):
        def process_packet(self, packet):
            if packet["type"] != "connect":
                seen.extend(queued(self.socket))
            return super().process_packet(packet)

    with session(Chat) as on:
        on.tell("1::/chat")
        assert on.tell(text) == []
        assert seen == ["6::/chat:1"], "before the handler runs"


def test_what_is_not_asked_for_is_not_acknowledged():
    with session(Acking) as on:
        asked = event("value", "tuple", endpoint="/chat")
        assert on.tell("1::/chat", asked, "3::/chat:hello")[1:] == []
