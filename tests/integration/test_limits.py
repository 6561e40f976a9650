"""Every setting has a test at its limit and one above; here is where they are."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from socketio.config import SLOW_PEER_POLICIES, Settings
from socketio.errors import ConfigError
from socketio.namespace import BaseNamespace
from tests.client import PollingClient, serving
from tests.integration import test_limits_clock as clock
from tests.integration import test_limits_input as incoming
from tests.integration import test_limits_output as outgoing
from tests.integration import test_limits_seconds as seconds
from tests.integration import test_limits_sessions as sessions
from tests.integration import test_slow_peer as slow
from tests.integration.stalled import message

Test = Callable[..., None]

TABLE: dict[str, tuple[Test, Test]] = {
    "heartbeat_interval": (
        seconds.test_without_a_polling_duration_it_is_the_heartbeat_interval,
        clock.test_a_heartbeat_comes_after_the_heartbeat_interval_and_not_before,
    ),
    "heartbeat_timeout": (
        clock.test_a_client_that_answers_within_the_heartbeat_timeout_is_served,
        clock.test_a_client_that_is_silent_for_the_heartbeat_timeout_is_cut_off,
    ),
    "close_timeout": (
        clock.test_a_client_that_polls_again_within_the_close_timeout_is_served,
        clock.test_a_client_that_does_not_poll_for_the_close_timeout_is_forgotten,
    ),
    "polling_duration": (
        seconds.test_a_poll_within_its_polling_duration_is_answered_when_there_is_something,
        seconds.test_a_poll_with_nothing_to_say_ends_after_the_polling_duration,
    ),
    "handshake_timeout": (
        clock.test_a_client_that_comes_within_the_handshake_timeout_is_served,
        clock.test_a_client_that_comes_after_the_handshake_timeout_is_unknown,
    ),
    "linger_timeout": (
        clock.test_the_last_packets_of_a_session_wait_for_the_linger_timeout,
        clock.test_a_stream_that_takes_nothing_is_cut_at_the_linger_timeout,
    ),
    "keepalive_timeout": (
        seconds.test_a_connection_that_is_used_again_within_the_keepalive_timeout_goes_on,
        seconds.test_a_connection_that_is_idle_for_the_keepalive_timeout_is_closed,
    ),
    "header_timeout": (
        seconds.test_a_header_that_comes_within_the_header_timeout_is_served,
        seconds.test_a_header_that_takes_longer_than_the_header_timeout_is_a_408,
    ),
    "body_timeout": (
        seconds.test_a_body_of_ours_that_comes_within_the_body_timeout_is_taken,
        seconds.test_a_body_of_ours_that_takes_longer_than_the_body_timeout_is_a_408,
    ),
    "tls_handshake_timeout": (
        seconds.test_a_tls_handshake_within_the_tls_handshake_timeout_is_served,
        seconds.test_a_tls_handshake_that_takes_longer_than_the_tls_handshake_timeout_is_cut_off,
    ),
    "write_timeout": (
        seconds.test_a_client_that_reads_slowly_but_within_the_write_timeout_gets_everything,
        seconds.test_a_stream_that_is_not_read_for_the_write_timeout_is_lost,
    ),
    "block_warning": (
        seconds.test_code_that_is_busy_for_less_than_block_warning_is_let_alone,
        seconds.test_code_that_is_busy_for_longer_than_block_warning_is_named,
    ),
    "max_body_size": (
        incoming.test_a_body_of_max_body_size_is_taken,
        incoming.test_a_body_of_one_byte_more_is_a_413,
    ),
    "max_message_size": (
        incoming.test_a_message_of_max_message_size_is_taken,
        incoming.test_a_message_of_one_byte_more_than_max_message_size_closes_with_1009,
    ),
    "max_payload_packets": (
        incoming.test_max_payload_packets_fit_into_a_body,
        incoming.test_one_packet_more_than_max_payload_packets_is_a_400_and_none_is_taken,
    ),
    "max_inbound_packets": (
        incoming.test_as_much_as_the_inbound_limit_may_wait,
        incoming.test_with_the_inbound_limit_reached_nothing_more_is_read,
    ),
    "max_inbound_size": (
        incoming.test_as_much_as_the_inbound_limit_may_wait,
        incoming.test_a_post_that_finds_no_room_for_too_long_is_a_503,
    ),
    "max_outbound_packets": (
        outgoing.test_as_much_as_the_outbound_limit_may_wait,
        outgoing.test_one_more_than_the_outbound_limit_ends_the_session,
    ),
    "max_outbound_size": (
        outgoing.test_as_much_as_the_outbound_limit_may_wait,
        outgoing.test_one_more_than_the_outbound_limit_ends_the_session,
    ),
    "max_pending_acks": (
        outgoing.test_as_many_as_max_pending_acks_may_be_waited_for,
        outgoing.test_of_one_more_than_max_pending_acks_the_oldest_is_forgotten,
    ),
    "max_handshakes": (
        sessions.test_a_client_that_comes_makes_room_below_max_handshakes,
        sessions.test_one_handshake_more_than_max_handshakes_is_a_503,
    ),
    "max_sessions": (
        sessions.test_a_session_that_ends_makes_room_below_max_sessions,
        sessions.test_one_session_more_than_max_sessions_is_a_503_and_the_others_go_on,
    ),
    "slow_peer": (
        slow.test_the_newest_are_kept_in_their_order,
        slow.test_by_default_a_client_that_is_too_slow_is_disconnected,
    ),
}
"""Setting -> a test in which it is not exceeded, and one in which it is."""

GROUPS = {"max_inbound_": incoming.FULL, "max_outbound_": list(outgoing.OUTBOUND.items())}
"""Settings that share their tests, and the parameters by which they do."""


def test_every_setting_is_in_the_table() -> None:
    assert list(TABLE) == list(Settings())


@pytest.mark.parametrize("setting", TABLE)
def test_the_tests_of_a_setting_are_about_it(setting: str) -> None:
    for prefix, rows in GROUPS.items():
        if setting.startswith(prefix):
            assert setting in [row[0] for row in rows]
            return
    for test in TABLE[setting]:
        assert setting in inspect.getsource(test) or setting == "slow_peer"


@pytest.mark.parametrize("setting", TABLE)
def test_every_setting_is_a_keyword_of_the_server(setting: str) -> None:
    value: Any = "drop_oldest" if setting == "slow_peer" else 7
    with serving({}, **{setting: value}) as server:
        assert server.config[setting] == value
        assert server.config == Settings(**{setting: value})


@pytest.mark.parametrize("setting", TABLE)
def test_a_value_that_makes_no_sense_is_refused_before_anything_is_served(setting: str) -> None:
    with pytest.raises(ConfigError, match=f"^{setting}: -1 "), serving({}, **{setting: -1}):
        pass


def test_the_words_for_a_slow_peer_are_two() -> None:
    assert SLOW_PEER_POLICIES == ("disconnect", "drop_oldest")


def test_the_default_limits_hold_without_any_setting() -> None:
    with serving({"": BaseNamespace}) as server:
        client = PollingClient(server).open()
        socket = server.sockets[client.sessid]
        for _ in range(10_000):
            message(socket, "x")
        assert socket.connected
        message(socket, "one more")
        assert not socket.state.live
        assert server.stats()["limits"] == {"max_outbound_packets": 1}
        assert client.post("x" * 1_000_001).status == 400, "its session is over"
        other = PollingClient(server).open()
        assert other.post("3:::" + "x" * 999_996).status == 200
        assert other.post("3:::" + "x" * 999_997).status == 413
        for each in (client, other):
            each.close()
