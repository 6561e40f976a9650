"""A members' area: who has not logged in may do nothing but that."""

import pytest

from socketio import socketio_manage
from socketio.mixins import BroadcastMixin
from socketio.namespace import BaseNamespace
from tests.compat.apps.people import TRANSPORTS, people

USERS = {"ada": ("lovelace", ["on_read"]), "root": ("toor", None)}


class MembersNamespace(BaseNamespace, BroadcastMixin):
    def get_initial_acl(self):
        return ["recv_connect", "recv_disconnect", "on_login"]

    def on_login(self, user, password):
        if user not in USERS or USERS[user][0] != password:
            self.error("login_failed", "wrong name or password")
            return False
        self.session["user"] = user
        rights = USERS[user][1]
        if rights is None:
            self.lift_acl_restrictions()
        else:
            self.add_acl_method("on_logout")
            for method in rights:
                self.add_acl_method(method)
        return True

    def on_logout(self):
        del self.session["user"]
        self.reset_acl()
        return True

    def on_read(self):
        return "%s reads" % self.session["user"]

    def on_write(self, text):
        self.broadcast_event("written", self.session["user"], text)
        return True

    def on_ban_writing(self):
        self.reset_acl()
        for method in ("on_read", "on_write"):
            self.add_acl_method(method)
        self.del_acl_method("on_write")

    def recv_disconnect(self):
        self.request["left"].append(self.session.get("user"))
        self.disconnect(silent=True)


# -- what its users see ----------------------------------------------------------------------------


@pytest.fixture
def state():
    return {"left": []}


@pytest.fixture(params=TRANSPORTS)
def served(request, state):
    def app(environ, start_response):
        socketio_manage(environ, {"/members": MembersNamespace}, state)
        return []

    return lambda *endpoints: people(app, *endpoints, transport=request.param)


def denied(user, name, *args):
    """Return what the client is told of an event that it may not send."""
    user.emit(name, *args)
    return user.next("error")


def test_who_has_not_logged_in_may_only_do_that(served):
    with served("/members") as (_, user):
        for name in ("read", "write", "logout"):
            assert denied(user, name) == [
                "method_access_denied",
                'You do not have access to method "on_%s"' % name,
            ]
        assert user.ask("login", "ada", "wrong") == [False]
        assert user.next("error") == ["login_failed", "wrong name or password"]
        assert denied(user, "read")[0] == "method_access_denied"


def test_who_has_logged_in_may_do_what_that_user_may(served):
    with served("/members", "/members") as (_, ada, root):
        assert ada.ask("login", "ada", "lovelace") == [True]
        assert ada.ask("read") == ["ada reads"]
        assert denied(ada, "write", "x")[0] == "method_access_denied"
        assert root.ask("login", "root", "toor") == [True]
        assert root.ask("write", "hello") == [True]
        assert ada.next("written") == root.next("written") == ["root", "hello"]


def test_who_has_logged_out_is_where_it_began(served):
    with served("/members") as (_, ada):
        ada.ask("login", "ada", "lovelace")
        assert ada.ask("logout") == [True]
        assert denied(ada, "read")[0] == "method_access_denied"
        assert ada.ask("login", "ada", "lovelace") == [True]
        assert ada.ask("read") == ["ada reads"]


def test_a_right_may_be_taken_away_again(served):
    with served("/members") as (_, root):
        root.ask("login", "root", "toor")
        root.emit("ban writing")
        assert root.ask("read") == ["root reads"]
        assert denied(root, "write", "x")[0] == "method_access_denied"


def test_the_rights_of_one_client_are_not_those_of_the_next(served, state):
    with served("/members", "/members") as (_, one, two):
        one.ask("login", "root", "toor")
        assert denied(two, "read")[0] == "method_access_denied"
    assert sorted(state["left"], key=str) == [None, "root"]
