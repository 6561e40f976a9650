"""A board game: its rooms are strings in ``session['rooms']`` that it reads and changes itself."""

import pytest

from socketio.mixins import RoomsMixin
from socketio.namespace import BaseNamespace
from tests.compat.apps.people import TRANSPORTS, over, people


class GameNamespace(BaseNamespace, RoomsMixin):
    def on_sit(self, table):
        # one table at a time
        for room in list(self.session["rooms"]):
            if room.startswith(self.ns_name + "_table-"):
                self.session["rooms"].remove(room)
        self.session["rooms"].add(self._get_room_name("table-%s" % table))
        self.session["table"] = table
        return len(self.players(table))

    def on_move(self, move):
        self.emit_to_room("table-%s" % self.session["table"], "move", move)

    def on_watch(self, *tables):
        # replaces all of them
        self.session["rooms"] = set(self._get_room_name("table-%s" % t) for t in tables)

    def on_stand_up(self):
        if "rooms" in self.session:
            self.session["rooms"].clear()

    def on_where(self):
        return sorted(self.session.get("rooms", []))

    def players(self, table):
        room_name = self._get_room_name("table-%s" % table)
        found = []
        for sessid, socket in list(self.socket.server.sockets.items()):
            if "rooms" not in socket.session:
                continue
            if room_name in socket.session["rooms"]:
                found.append(sessid)
        return found

    def on_close_table(self, table):
        room_name = self._get_room_name("table-%s" % table)
        for sessid in self.players(table):
            socket = self.socket.server.sockets[sessid]
            socket.session["rooms"].discard(room_name)
            socket["/game"].emit("closed", table)
        return self.players(table)


# -- what its users see ----------------------------------------------------------------------------


@pytest.fixture(params=TRANSPORTS)
def players(request):
    app = {"/game": GameNamespace}
    with people(app, "/game", "/game", "/game", transport=request.param) as (_, *players):
        yield players


def test_a_room_that_was_added_by_hand_gets_what_is_emitted_to_it(players):
    white, black, other = players
    assert white.ask("sit", 1) == [1]
    assert black.ask("sit", 1) == [2]
    assert other.ask("sit", 2) == [1]
    white.emit("move", "e4")
    assert black.next("move") == ["e4"]
    assert other.ask("where") == [["/game_table-2"]]
    assert white.came("move") == other.came("move") == 0


def test_a_room_that_was_removed_by_hand_gets_nothing_more(players):
    white, black, _ = players
    white.ask("sit", 1)
    black.ask("sit", 1)
    assert black.ask("sit", 2) == [1]
    assert black.ask("where") == [["/game_table-2"]]
    white.emit("move", "e4")
    white.ask("where")
    assert black.ask("where") == [["/game_table-2"]]
    assert black.came("move") == 0


def test_the_whole_set_may_be_replaced(players):
    white, black, visitor = players
    white.ask("sit", 1)
    black.ask("sit", 2)
    visitor.emit("watch", 1, 2)
    assert visitor.ask("where") == [["/game_table-1", "/game_table-2"]]
    white.emit("move", "e4")
    assert visitor.next("move") == ["e4"]
    black.emit("move", "d5")
    assert visitor.next("move") == ["d5"]


def test_the_set_may_be_emptied(players):
    white, black, _ = players
    white.ask("sit", 1)
    black.ask("sit", 1)
    black.emit("stand_up")
    assert black.ask("where") == [[]]
    white.emit("move", "e4")
    white.ask("where")
    assert black.ask("where") == [[]]
    assert black.came("move") == 0


def test_rooms_of_others_may_be_changed_too(players):
    white, black, other = players
    for player in players:
        player.ask("sit", 1)
    assert other.ask("close_table", 1) == [[]]
    assert white.next("closed") == black.next("closed") == other.next("closed") == [1]
    assert white.ask("where") == [[]]


def test_who_has_gone_sits_nowhere(players):
    white, black, other = players
    white.ask("sit", 1)
    black.ask("sit", 1)
    socket = white.socket
    white.leave()
    over(socket)
    assert other.ask("sit", 1) == [2]
    assert black.ask("close_table", 1) == [[]]
