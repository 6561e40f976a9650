"""The settings: defaults, ranges, and the mapping that applications of the original read."""

import copy
import pickle
import sys
from dataclasses import FrozenInstanceError, fields

import pytest

from socketio.config import Settings, parse_setting
from socketio.errors import ConfigError

# Each limit has its test elsewhere; this table is what the documentation promises.
DEFAULTS = {
    "heartbeat_interval": 25,
    "heartbeat_timeout": 60,
    "close_timeout": 60,
    "polling_duration": None,
    "handshake_timeout": 30,
    "linger_timeout": 10,
    "keepalive_timeout": 75,
    "header_timeout": 10,
    "body_timeout": 30,
    "tls_handshake_timeout": 10,
    "write_timeout": 30,
    "block_warning": None,
    "max_body_size": 1_000_000,
    "max_message_size": 1_000_000,
    "max_payload_packets": 1_000,
    "max_inbound_packets": 1_000,
    "max_inbound_size": 2_000_000,
    "max_outbound_packets": 10_000,
    "max_outbound_size": 4_000_000,
    "max_pending_acks": 1_000,
    "max_handshakes": 10_000,
    "max_sessions": None,
    "slow_peer": "disconnect",
}
OPTIONAL = [name for name, value in DEFAULTS.items() if value is None]
COUNTS = [name for name in DEFAULTS if name.startswith("max_")]
SECONDS = [name for name in DEFAULTS if name not in (*COUNTS, "slow_peer")]

NO_NUMBERS = ["60", b"60", [60], True, False, 1j]
NO_SECONDS = [0, -1, -0.5, float("nan"), float("inf"), float("-inf"), 10**400, *NO_NUMBERS]
NO_COUNTS = [0, -1, 1.0, 2.5, float("inf"), *NO_NUMBERS]


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_a_setting_left_alone_has_its_documented_default(name, default):
    assert getattr(Settings(), name) == default


def test_the_table_of_defaults_is_complete():
    assert list(Settings()) == list(DEFAULTS)


def test_every_setting_says_what_it_does():
    for field in fields(Settings):
        kind = "policy" if field.name == "slow_peer" else "seconds"
        assert field.metadata["kind"] == ("count" if field.name in COUNTS else kind)
        assert len(field.metadata["effect"]) > 10


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [1, 0.25, 86_400, 1e-9, 10**12, sys.float_info.max])
def test_seconds_may_be_any_positive_number(name, value):
    assert Settings(**{name: value})[name] == value


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", NO_SECONDS, ids=lambda value: f"{value!r:.20}")
def test_seconds_that_are_no_positive_number_are_refused(name, value):
    with pytest.raises(ConfigError, match="is no positive number of seconds") as caught:
        Settings(**{name: value})
    assert_names_field_and_value(caught.value, name, value)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [1, 2, 10**12])
def test_a_count_may_be_any_positive_whole_number(name, value):
    assert Settings(**{name: value})[name] == value


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", NO_COUNTS, ids=lambda value: f"{value!r:.20}")
def test_a_count_that_is_no_positive_whole_number_is_refused(name, value):
    with pytest.raises(ConfigError, match="is no positive whole number") as caught:
        Settings(**{name: value})
    assert_names_field_and_value(caught.value, name, value)


def assert_names_field_and_value(error, name, value):
    """The text begins with the field, shows the value, and stays short whatever the value is."""
    assert str(error).startswith(f"{name}: {value!r:.50}")
    assert len(str(error)) < 150


@pytest.mark.parametrize("name", DEFAULTS)
def test_none_is_taken_only_where_none_is_the_default(name):
    if name in OPTIONAL:
        assert Settings(**{name: None})[name] is None
    else:
        with pytest.raises(ConfigError, match=f"^{name}: None"):
            Settings(**{name: None})


def test_settings_cannot_be_changed():
    settings = Settings()
    with pytest.raises(FrozenInstanceError):
        settings.close_timeout = 1
    with pytest.raises((AttributeError, TypeError)):  # slotted: nothing new either
        settings.unknown = 1
    with pytest.raises(TypeError):
        settings["close_timeout"] = 1


def test_settings_are_given_by_keyword_only():
    with pytest.raises(TypeError):
        Settings(25)


def test_an_unknown_keyword_is_refused():
    with pytest.raises(TypeError, match="hartbeat_interval"):
        Settings(hartbeat_interval=25)


def test_settings_read_like_the_mapping_of_the_original():
    config = Settings(heartbeat_interval=5, close_timeout=7.5)
    assert config["heartbeat_interval"] == 5
    assert config.get("close_timeout") == 7.5
    assert config.get("nothing_of_ours", 3) == 3
    assert "heartbeat_timeout" in config
    assert len(config) == len(DEFAULTS)
    assert dict(config) == {**DEFAULTS, "heartbeat_interval": 5, "close_timeout": 7.5}


@pytest.mark.parametrize("name", ["nothing_of_ours", "poll_seconds", "read", "__class__", ""])
def test_only_settings_are_keys(name):
    assert name not in Settings()
    with pytest.raises(KeyError):
        Settings()[name]


def test_settings_compare_by_value_and_can_be_copied():
    settings = Settings(close_timeout=5)
    assert settings == Settings(close_timeout=5) != Settings()
    assert hash(settings) == hash(Settings(close_timeout=5))
    assert copy.deepcopy(settings) == pickle.loads(pickle.dumps(settings)) == settings


def test_an_idle_poll_lasts_for_the_heartbeat_interval_unless_told_otherwise():
    assert Settings(heartbeat_interval=12).poll_seconds == 12
    assert Settings(heartbeat_interval=12, polling_duration=3.5).poll_seconds == 3.5


def test_read_returns_settings_unchanged():
    settings = Settings(close_timeout=5)
    assert Settings.read(settings) is settings


def test_read_takes_what_it_knows_from_any_mapping_and_leaves_the_rest():
    config = {"heartbeat_interval": 5, "max_sessions": "none", "resource": "socket.io"}
    assert Settings.read(config) == Settings(heartbeat_interval=5)
    assert Settings.read({}) == Settings()


def test_read_takes_numbers_as_text():
    settings = Settings.read({"heartbeat_interval": "12.5", "max_body_size": " 2048 "})
    assert settings == Settings(heartbeat_interval=12.5, max_body_size=2048)


@pytest.mark.parametrize("text", ["0", "-3", "inf", "nan", "1e999", "2.5", "none", "many", ""])
def test_read_refuses_text_out_of_range(text):
    with pytest.raises(ConfigError, match=r"^max_body_size: "):
        Settings.read({"max_body_size": text})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("25", 25),
        (" 25\n", 25),
        ("2.5", 2.5),
        ("60.0", 60),
        ("1e3", 1000),
        ("-1", -1),
        ("none", None),
        (" None ", None),
        (25, 25),
        (2.5, 2.5),
        (None, None),
    ],
)
def test_a_setting_given_as_text_becomes_its_number(value, expected):
    parsed = parse_setting("close_timeout", value)
    assert parsed == expected
    assert type(parsed) is type(expected)


@pytest.mark.parametrize("text", ["", "  ", "ten", "1,5", "0x10", "25 s", "True"])
def test_text_that_is_no_number_is_refused_with_field_and_value(text):
    with pytest.raises(ConfigError, match="is no number") as caught:
        parse_setting("close_timeout", text)
    assert str(caught.value) == f"close_timeout: {text!r} is no number"
    assert caught.value.__cause__ is None


# -- what becomes of slow clients ------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["disconnect", "drop_oldest", lambda socket: "disconnect"])
def test_a_slow_peer_has_one_of_two_policies_or_the_application_s(policy):
    assert Settings(slow_peer=policy).slow_peer is policy


@pytest.mark.parametrize("policy", ["", "drop", "Disconnect", None, 1, ["disconnect"]])
def test_another_policy_for_slow_peers_is_refused_by_name(policy):
    with pytest.raises(ConfigError, match=r"slow_peer: .* 'disconnect' or 'drop_oldest'"):
        Settings(slow_peer=policy)


def test_a_policy_may_be_text_of_an_ini_file():
    assert parse_setting("slow_peer", " drop_oldest ") == "drop_oldest"
