"""What one user writes runs in no page of another: a JavaScript engine judges our scripts."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from socketio.packet import encode
from socketio.wire.payload import MARKER, decode_payload
from tests.client import serving
from tests.integration.jsjudge import evaluate, root, told
from tests.streams import HTMLFileClient, JSONPClient

PIECES = [
    *['"', "'", "\\", "\\\\", '\\"', "/", "\\/", "`", "${x=1}", ")", "]", "}", ";", ",", "*/"],
    *["</script>", "</SCRIPT >", "</script\n", "<!--", "-->", "<script>", "<ScRiPt ", "<", "]]>"],
    *["\u2028", "\u2029", "\x00", "\x1b", "\x7f", "\x85", "\ud83d", "\ude00", "\udfff\ud800"],
    *["\U0001f600", "\U0010ffff", "\ufeff", "\ufffd", "\ufffd5\ufffd3:::a", "\u017fcript"],
    *["');alert(1);//", '");alert(1);//', '"+alert(1)+"', "\\u0022);alert(1)//", "\\x22);x=1;//"],
    *["\r\n", "\n", "\r", "\r\n\r\nHTTP/1.1 200 OK\r\n", "0\r\n\r\n", "--socketio", "--socketio--"],
    *[
        "__proto__",
        "io.j[0]",
        "1::",
        "5:::{",
        "a",
        "\u00e9",
        "\u4f60",
        " ",
        "&lt;",
        "%22",
        "\\u003c",
    ],
]


MESSAGES = 5000


def make_texts(seed: int) -> list[str]:
    """Return the wire texts of many packets of all kinds that carry what users write."""
    rng = random.Random(seed)
    found = []
    for _ in range(MESSAGES):
        text = "".join(rng.choices(PIECES, k=rng.randint(0, 12)))
        packet: dict[str, Any] = rng.choice(
            [
                {"type": "message", "data": text},
                {"type": "json", "data": {text: text}},
                {"type": "event", "name": text, "args": [text]},
                {"type": "ack", "ackId": 1, "args": [text]},
                {"type": "connect", "endpoint": "/chat", "qs": text.replace("\n", "")},
            ]
        )
        found.append(encode({"endpoint": "", **packet}))
    assert {piece for piece in PIECES if not any(piece in text for text in found)} == set()
    return found


def joined(text: str) -> str:
    """Return ``text`` as JavaScript has it: two halves of a character are that character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


# -- The judge -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "did"),
    [
        ('io.j[7]("a");', {"calls": [["a"]], "effects": []}),
        ('io.j[7]("a");io.j[7]("b");', {"calls": [["a"], ["b"]], "effects": []}),
        ('io.j[7](new Error("no"));', {"calls": [[{"error": "no"}]], "effects": []}),
        ('io.j[7]("a");alert(1);("");', {"calls": [["a"]], "effects": ["alert(1)"]}),
        ('io.j[7]("");x=1;("");', {"calls": [[""]], "effects": ["names changed"]}),
        ('io.j[7]("");"".__proto__.x=1;', {"calls": [[""]], "effects": ["names changed"]}),
        ('io.j[7]("a");io.j[8]=1;', {"calls": [["a"]], "effects": ["names changed"]}),
        (
            'io.j[0]("a");',
            {"calls": [], "effects": ["throws TypeError: io.j[0] is not a function"]},
        ),
        ('io.j[7]("a\n");', {"calls": [], "effects": ["throws SyntaxError: Invalid or une"]}),
    ],
)
def test_the_judge_sees_what_a_script_does(script: str, did: dict[str, Any]) -> None:
    [outcome] = evaluate([script], index="7")
    assert outcome["calls"] == did["calls"]
    assert [e[: len(w)] for e, w in zip(outcome["effects"], did["effects"], strict=True)] == did[
        "effects"
    ]


def test_the_judge_sees_what_a_script_of_htmlfile_does() -> None:
    head = "var _ = function (msg) { parent.s._(msg, document); };"
    scripts = ['_("a");', '_("a");alert(1);', "parent.s._('a', 1);", "parent.x = 1;"]
    assert evaluate(scripts, head=head) == [
        {"calls": [["a"]], "effects": []},
        {"calls": [["a"]], "effects": ["alert(1)"]},
        {"calls": [["a"]], "effects": ["not the document of the page"]},
        {"calls": [], "effects": ["names changed"]},
    ]


# -- Messages --------------------------------------------------------------------------------


def test_the_scripts_of_jsonp_polling_hand_over_what_was_sent_and_do_nothing_else() -> None:
    texts = make_texts(1)
    rng = random.Random(2)
    scripts: list[str] = []
    with serving(root()) as server:
        client = JSONPClient(server).open()
        socket = server.sockets[client.sessid]
        sent = 0
        while sent < len(texts):
            batch = texts[sent : sent + rng.choice([1, 2, 10, 100, 300])]
            sent += len(batch)
            for text in batch:
                socket.put_client_msg(text)
            answer = client.start_poll().read_answer()
            assert answer.status == 200
            assert answer.headers["content-type"] == "text/javascript; charset=UTF-8"
            assert answer.headers["x-content-type-options"] == "nosniff"
            script = answer.body.decode()
            # No character that an old engine takes for a line end, whatever a new one does.
            assert script.replace(MARKER, "").isascii()
            scripts.append(script)
        client.close()
    # Over xhr-polling a lone surrogate becomes U+FFFD, for UTF-8 has none. Here it arrives as it
    # was sent: the script writes it as an escape.
    received = [
        text
        for payload in told(scripts, index=JSONPClient.index)
        for text in decode_payload(payload)
    ]
    assert [joined(text) for text in received] == [joined(text) for text in texts]


def script_texts(page: str) -> list[str]:
    """Return the texts of the script elements of ``page``, in which there is nothing else.

    To an HTML parser a script ends at the first end tag, of any case and with anything behind its
    name, whatever the script means by it. "<!--" is what would have it look for another end.
    """
    found = []
    place = 0
    for match in re.finditer(r"<script>(.*?)</script([\t\n\f\r />])", page, re.DOTALL | re.I):
        assert match.start() == place, page[place : match.end()]
        assert match[0].startswith("<script>")
        assert match[0].endswith("</script>")
        assert "<!--" not in match[1]
        found.append(match[1])
        place = match.end()
    assert place == len(page), page[place:]
    return found


@pytest.mark.parametrize(
    "page",
    [
        "x<script>a</script>",
        "<script>a</script>x",
        "<script>a</script><b><script>a</script>",
        '<script>"</script>";</script>',
        '<script>"</SCRIPT >";</script>',
        '<script>"<!--";</script>',
        "<SCRIPT>a</script>",
        "<script>a</script\n>",
        "<script>a",
    ],
)
def test_the_judge_of_pages_refuses_what_is_not_elements_alone(page: str) -> None:
    with pytest.raises(AssertionError):
        script_texts(page)


def test_the_page_of_htmlfile_hands_over_what_was_sent_and_does_nothing_else() -> None:
    texts = make_texts(3)
    with serving(root()) as server:
        client = HTMLFileClient(server).open()
        socket = server.sockets[client.sessid]
        for text in texts:
            socket.put_client_msg(text)
        socket.disconnect()
        with pytest.raises(EOFError):
            while True:
                client.stream.read_chunk()
        client.close()
        assert client.stream.headers["content-type"] == "text/html; charset=UTF-8"
    page = b"".join(client.stream.chunks).decode("ascii")
    start, body = page[:256], page[256:]
    assert start.rstrip(" ").startswith("<html><body>")
    [head] = script_texts(start.rstrip(" ").removeprefix("<html><body>"))
    greeting, *received, farewell = told(script_texts(body), head=head)
    assert (greeting, farewell) == ("1::", "0::")
    # A lone surrogate arrives as it was sent here too.
    assert [joined(text) for text in received] == [joined(text) for text in texts]
