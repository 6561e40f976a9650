"""The session's dictionary and its set of rooms: both behave as built in, and report changes."""

import copy
import pickle
from types import SimpleNamespace

import pytest

from socketio.session.data import RoomSet, SessionData, rooms_in, rooms_of
from tests.client import Recorder


@pytest.fixture
def record():
    return Recorder()


def rooms(record, *names):
    """Return a set of rooms that reports to ``record`` from now on."""
    made = RoomSet(names, record)
    record.seen.clear()
    return made


# -- changes by hand -------------------------------------------------------------------------------

# What is done to the set {a, b}, and what is left.
CHANGES = {
    "add": (lambda s: s.add("c"), "abc"),
    "add again": (lambda s: s.add("a"), "ab"),
    "remove": (lambda s: s.remove("a"), "b"),
    "discard": (lambda s: s.discard("a"), "b"),
    "discard what is not there": (lambda s: s.discard("x"), "ab"),
    "clear": (lambda s: s.clear(), ""),
    "update": (lambda s: s.update("bc", ["d"]), "abcd"),
    "update with nothing": (lambda s: s.update(), "ab"),
    "difference_update": (lambda s: s.difference_update("bc"), "a"),
    "intersection_update": (lambda s: s.intersection_update("bc"), "b"),
    "symmetric_difference_update": (lambda s: s.symmetric_difference_update("bc"), "ac"),
    "|=": (lambda s: s.__ior__({"c"}), "abc"),
    "-=": (lambda s: s.__isub__({"a", "c"}), "b"),
    "&=": (lambda s: s.__iand__({"a", "c"}), "a"),
    "^=": (lambda s: s.__ixor__({"a", "c"}), "bc"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_way_of_changing_a_set_does_the_same_and_reports_each_name_once(name, record):
    change, left = CHANGES[name]
    before, plain = rooms(record, "a", "b"), {"a", "b"}
    change(before)
    change(plain)
    assert before == plain == set(left)
    wanted = [(n, True) for n in set(left) - {"a", "b"}]
    wanted += [(n, False) for n in {"a", "b"} - set(left)]
    assert sorted(record.seen) == sorted(wanted)


@pytest.mark.parametrize("operator", ["|=", "-=", "&=", "^="])
def test_an_augmented_assignment_keeps_the_set_itself(operator, record):
    before = rooms(record, "a", "b")
    assert CHANGES[operator][0](before) is before


def test_pop_takes_one_name_out_until_none_is_left(record):
    names = rooms(record, "a", "b")
    assert {names.pop(), names.pop()} == {"a", "b"}
    assert sorted(record.seen) == [("a", False), ("b", False)]
    with pytest.raises(KeyError):
        names.pop()


def test_removing_what_is_not_there_is_a_key_error_and_reports_nothing(record):
    names = rooms(record, "a")
    with pytest.raises(KeyError):
        names.remove("b")
    assert record.seen == []


def test_what_it_begins_with_is_reported_too(record):
    RoomSet(["a", "b"], record)
    assert sorted(record.seen) == [("a", True), ("b", True)]


def test_it_needs_nobody_to_report_to():
    names = RoomSet()
    names.add("a")
    assert names == {"a"}


@pytest.mark.parametrize("name", [5, ("/chat", "lobby"), b"lobby", None, frozenset()])
def test_names_that_are_no_text_come_and_go_too(name, record):
    names = rooms(record)
    names.add(name)
    assert name in names
    names.remove(name)
    assert names == set()
    names.update([name])
    assert names.pop() == name
    assert record.seen == [(name, True), (name, False)] * 2


@pytest.mark.parametrize(
    "operation",
    [
        lambda s: s | {"c"},
        lambda s: {"c"} | s,
        lambda s: s - {"a"},
        lambda s: s & {"a"},
        lambda s: s ^ {"c"},
        lambda s: s.union("c"),
        lambda s: s.copy(),
        copy.copy,
        copy.deepcopy,
        lambda s: pickle.loads(pickle.dumps(s)),
    ],
)
def test_what_is_made_of_it_is_an_ordinary_set_that_reports_nothing(operation, record):
    names = rooms(record, "a", "b")
    made = operation(names)
    assert type(made) is set
    assert made == operation({"a", "b"})
    made.add("z")
    assert names == {"a", "b"}
    assert record.seen == []


def test_a_set_of_mixed_names_can_be_pickled(record):
    assert pickle.loads(pickle.dumps(rooms(record, "a", 5))) == {"a", 5}


def test_it_may_be_changed_while_a_copy_is_iterated(record):
    names = rooms(record, "a", "b", "c")
    for name in names.copy():
        names.remove(name)
    assert names == set()


# -- rooms entered through join() ------------------------------------------------------------------

CHAT, CHAT_A = ("/chat", "a_b"), ("/chat_a", "b")  # both are "/chat_a_b"


def test_a_room_that_was_joined_is_there_as_a_string_and_matches_its_key_alone(record):
    names = rooms(record)
    names.join("/chat_a_b", CHAT)
    assert names == {"/chat_a_b"}
    assert record.seen == [("/chat_a_b", True)]
    assert names.matches("/chat_a_b", CHAT)
    assert not names.matches("/chat_a_b", CHAT_A)


def test_two_rooms_of_the_same_string_are_left_one_by_one(record):
    names = rooms(record)
    names.join("/chat_a_b", CHAT)
    names.join("/chat_a_b", CHAT_A)
    names.leave("/chat_a_b", CHAT)
    assert names == {"/chat_a_b"}
    assert not names.matches("/chat_a_b", CHAT)
    assert names.matches("/chat_a_b", CHAT_A)
    names.leave("/chat_a_b", CHAT_A)
    assert names == set()
    assert record.seen == [("/chat_a_b", True), ("/chat_a_b", False)]


def test_a_name_put_in_by_hand_matches_every_key_of_that_string(record):
    names = rooms(record, "/chat_a_b")
    assert names.matches("/chat_a_b", CHAT)
    assert names.matches("/chat_a_b", CHAT_A)
    assert not names.matches("/other", CHAT)


def test_without_a_key_the_string_decides(record):
    names = rooms(record, "by hand")
    names.join("joined", CHAT)
    assert names.matches("by hand", None)
    assert names.matches("joined", None)
    assert not names.matches("neither", None)


def test_leaving_what_was_put_in_by_hand_takes_it_out(record):
    names = rooms(record, "/chat_a_b")
    names.leave("/chat_a_b", CHAT)
    assert names == set()


def test_leaving_a_room_keeps_the_same_string_put_in_by_hand(record):
    names = rooms(record, "/chat_a_b")
    names.join("/chat_a_b", CHAT)
    names.leave("/chat_a_b", CHAT)
    assert names == {"/chat_a_b"}
    assert record.seen == []


def test_leaving_what_one_is_not_in_is_no_error(record):
    names = rooms(record, "a")
    names.leave("b", ("/chat", "b"))
    assert names == {"a"}


def test_taking_a_joined_room_out_by_hand_leaves_it(record):
    names = rooms(record)
    names.join("/chat_a", ("/chat", "a"))
    names.discard("/chat_a")
    assert not names.matches("/chat_a", ("/chat", "a"))
    assert names.keys_of("/chat") == []


def test_the_rooms_of_a_namespace_are_those_joined_in_it(record):
    names = rooms(record, "/chat_by hand")
    for key in (("/chat", "b"), ("/chat", "a"), CHAT_A, ("/chat", "a")):
        names.join("_".join(key), key)
    assert names.keys_of("/chat") == ["a", "b"]
    assert names.keys_of("/chat_a") == ["b"]
    assert names.keys_of("") == []


# -- the dictionary --------------------------------------------------------------------------------


@pytest.fixture
def data(record):
    return SessionData(record)


# Ways to give a session its rooms.
ASSIGNMENTS = {
    "item": lambda data, value: data.__setitem__("rooms", value),
    "setdefault": lambda data, value: data.setdefault("rooms", value),
    "update": lambda data, value: data.update({"rooms": value}),
    "update with a keyword": lambda data, value: data.update(rooms=value),
    "|=": lambda data, value: data.__ior__({"rooms": value}),
}


@pytest.mark.parametrize("way", ASSIGNMENTS)
def test_whatever_way_a_set_becomes_the_rooms_its_changes_are_reported(way, data, record):
    ASSIGNMENTS[way](data, {"a"})
    assert data["rooms"] == {"a"}
    data["rooms"].add("b")
    assert record.seen == [("a", True), ("b", True)]


# Ways to take them away.
REMOVALS = {
    "del": lambda data: data.__delitem__("rooms"),
    "pop": lambda data: data.pop("rooms"),
    "pop with a default": lambda data: data.pop("rooms", None),
    "popitem": lambda data: data.popitem(),
    "clear": lambda data: data.clear(),
    "an empty set": lambda data: data.__setitem__("rooms", set()),
}


@pytest.mark.parametrize("way", REMOVALS)
def test_whatever_way_the_rooms_go_each_is_reported(way, data, record):
    data["rooms"] = {"a"}
    record.seen.clear()
    REMOVALS[way](data)
    assert record.seen == [("a", False)]
    assert not data.get("rooms")


def test_new_rooms_replace_the_old_ones(data, record):
    data["rooms"] = {"a", "b"}
    record.seen.clear()
    data["rooms"] = {"b", "c"}
    assert data["rooms"] == {"b", "c"}
    present = {}
    for name, here in record.seen:
        present[name] = here
    assert present == {"a": False, "b": True, "c": True}


def test_giving_the_session_its_own_rooms_changes_nothing(data, record):
    data["rooms"] = {"a"}
    record.seen.clear()
    data["rooms"] = data["rooms"]
    data["rooms"] |= {"b"}
    assert data["rooms"] == {"a", "b"}
    assert record.seen == [("b", True)]


def test_everything_else_is_an_ordinary_dictionary(data):
    data["nickname"] = "bob"
    data.update({"age": 5}, city="x")
    data.update([("list", [1])])
    assert data == {"nickname": "bob", "age": 5, "city": "x", "list": [1]}
    assert data.setdefault("age", 6) == 5
    assert data.setdefault("nothing") is None
    assert data.pop("age") == 5
    assert data.pop("age", "gone") == "gone"
    with pytest.raises(KeyError):
        data.pop("age")
    with pytest.raises(KeyError):
        del data["age"]
    assert data.popitem() == ("nothing", None)
    data |= {"a": 1}
    assert (data | {"b": 2})["b"] == 2
    assert list(data) == ["nickname", "city", "list", "a"]
    data.clear()
    assert data == {}
    with pytest.raises(KeyError):
        data.popitem()


@pytest.mark.parametrize(
    "duplicate",
    [
        dict,
        lambda data: data.copy(),
        lambda data: {**data},
        copy.copy,
        copy.deepcopy,
        lambda data: pickle.loads(pickle.dumps(data)),
    ],
)
def test_a_copy_of_a_session_is_an_ordinary_dictionary(duplicate, data):
    data.update(nickname="bob", rooms={"a"})
    made = duplicate(data)
    assert type(made) is dict
    assert made == {"nickname": "bob", "rooms": {"a"}}


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda data: pickle.loads(pickle.dumps(data))]
)
def test_the_rooms_of_a_deep_copy_report_to_nobody(duplicate, data, record):
    data["rooms"] = {"a"}
    record.seen.clear()
    duplicate(data)["rooms"].add("b")
    assert record.seen == []
    assert data["rooms"] == {"a"}


@pytest.mark.parametrize("value", [None, 5, "lobby", {"lobby": 3}, ["lobby"], ("lobby",)])
def test_an_application_without_rooms_keeps_what_it_likes_under_that_name(value, data, record):
    # The session is the application's: only a set is what RoomsMixin left there.
    data["rooms"] = value
    assert data["rooms"] is value
    assert record.seen == []
    data["rooms"] = {"a"}
    assert data["rooms"] == {"a"}
    data["rooms"] = value
    assert data.pop("rooms") is value


# -- the rooms of whatever a session is ------------------------------------------------------------


def test_the_rooms_of_a_session_are_those_in_its_dictionary(data):
    data["rooms"] = {"a"}
    assert rooms_in(data) is data["rooms"]
    assert rooms_of(SimpleNamespace(session=data)) is data["rooms"]


@pytest.mark.parametrize("kind", [set, frozenset])
def test_a_plain_set_in_a_plain_dictionary_counts_as_put_in_by_hand(kind):
    rooms = rooms_in({"rooms": kind({"/chat_a"})})
    assert rooms.matches("/chat_a", ("/chat", "a"))
    assert not rooms.matches("/chat_b", None)


@pytest.mark.parametrize("session", [{}, None, "bob", 5, {"rooms": None}, {"rooms": ["a"]}, []])
def test_anything_else_has_no_rooms(session):
    assert rooms_in(session) == set()
