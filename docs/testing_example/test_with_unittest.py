# ruff: noqa: PT009 - as people write tests

import unittest

import chat

from socketio.testing import TestServer


class ChatTest(unittest.TestCase):
    def setUp(self):
        self.server = TestServer(chat.app, authorize=chat.authorize)
        self.addCleanup(self.server.close)
        self.ada = self.server.connect("/chat", cookies={"login": "cookie-of-ada"})

    def test_joining_is_answered_with_the_rooms(self):
        self.assertEqual(self.ada.ask("join", "attic"), [["attic"]])
