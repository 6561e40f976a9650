"""What goes around a packet for htmlfile and xhr-multipart (sections 10 and 11)."""

import json
import re
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.packet import decode, encode
from socketio.wire.message import to_utf8
from socketio.wire.streams import (
    HTMLFILE_HEAD,
    MULTIPART_TYPE,
    htmlfile_script,
    multipart_head,
    multipart_part,
)

SID = "314159265358979323846264338327950288419"
PART_HEAD = b"Content-Type: text/plain; charset=UTF-8\r\n\r\n"
BOUNDARY = b"--socketio"

MARKUP = (
    *["</script", "</SCRIPT>", "</sCrIpt\n>", "<!--", "<script", "<SCRIPT ", "<scr\u0131pt", "-->"],
    *["<", "/", "\\", "\\/", '"', "'", "\u2028", "\x00", "\ud83d", "\ude00", "\U0001f600", "\r\n"],
    *["\u017fcript", "\\u003c", "]]>", "&lt;", "!--", "script"],
)
DASHES = (
    *["--socketio", "--socketio--", "-", "--", "socketio", "\r\n", "\u2060", "\ud83d", '"', "\\"],
)


def texts_of(*special):
    return st.lists(st.one_of(st.sampled_from(special), st.text()), max_size=8).map("".join)


def joined(text):
    """Return ``text`` as JavaScript has it: two halves of a character are that character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


# -- htmlfile --------------------------------------------------------------------------------


def test_the_page_begins_with_256_bytes():
    text = "<html><body><script>var _ = function (msg) { parent.s._(msg, document); };</script>"
    assert len(text) == 83
    assert text.encode() + b" " * 173 == HTMLFILE_HEAD
    assert len(HTMLFILE_HEAD) == 256


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("1::", '"1::"'),
        ("1::/chat", r'"1::\/chat"'),
        ('5:::{"name":"x","args":["</b>"]}', r'"5:::{\"name\":\"x\",\"args\":[\"<\/b>\"]}"'),
        ("</script>", r'"<\/script>"'),
        ("</SCRIPT>", r'"<\/SCRIPT>"'),
        ("<!--", r'"\u003c!--"'),
        ("<!", r'"\u003c!"'),
        ("<script>", r'"\u003cscript>"'),
        ("<ScRiPt", r'"\u003cScRiPt"'),
        ("<<script", r'"<\u003cscript"'),
        ("<scrip", '"<scrip"'),
        ("<b>1 < 2</b>", r'"<b>1 < 2<\/b>"'),
        ("\\/", r'"\\\/"'),
        ("a\u2028b\U0001f600", r'"a\u2028b\ud83d\ude00"'),
        ("\ud83d", r'"\ud83d"'),
        ("\r\n\x00", r'"\r\n\u0000"'),
    ],
)
def test_a_packet_is_a_script_element(text, literal):
    assert htmlfile_script(text) == f"<script>_({literal});</script>".encode()


@given(texts_of(*MARKUP))
def test_no_packet_ends_its_element_or_changes_how_it_is_read(text):
    element = htmlfile_script(text).decode("ascii")
    match = re.fullmatch(r"<script>_\((\"[\x20-\x7e]*\")\);</script>", element)
    assert match, element
    literal = match[1]
    assert "/" not in literal.replace("\\/", "")
    assert not re.search(r"</|<!|<script", literal, re.IGNORECASE)
    assert joined(json.loads(literal)) == joined(text)


# -- xhr-multipart ---------------------------------------------------------------------------


def parts_of(stream):
    """Return the bodies of the parts, cut as browsers do: at the boundary, wherever it is."""
    before, *parts, behind = stream.split(BOUNDARY + b"\r\n")
    assert (before, behind) == (b"", b"")
    for part in parts:
        assert BytesParser().parsebytes(part).get_content_type() == "text/plain"
        assert part.startswith(PART_HEAD)
        assert part.endswith(b"\r\n")
    return [part[len(PART_HEAD) : -2].decode() for part in parts]


def test_the_content_type_names_the_boundary_without_its_hyphens():
    name = MULTIPART_TYPE.removeprefix("multipart/x-mixed-replace;boundary=").strip('"')
    assert name.encode() == BOUNDARY[2:]


def test_the_first_part_is_the_session_id():
    head = b"--socketio\r\n" + PART_HEAD + SID.encode() + b"\r\n--socketio\r\n"
    assert multipart_head(SID) == head
    assert parts_of(head) == [SID]


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("", b""),
        ("1::", b"1::"),
        ("3:::-- socketio", b"3:::-- socketio"),
        ("3:::--Socketio", b"3:::--Socketio"),
        ("3:::\u00e9\ud83d", b"3:::\xc3\xa9\xef\xbf\xbd"),
        ("--socketio", "-\u2060-socketio".encode()),
        ("3:::--socketio--", "3:::-\u2060-socketio--".encode()),
        ("3:::---socketio", "3:::--\u2060-socketio".encode()),
        ("3:::\r\n--socketio\r\n", "3:::\r\n-\u2060-socketio\r\n".encode()),
        ("7:::--socketio", "7:::-\u2060-socketio".encode()),
        ('4:::"--socketio"', rb'4:::"-\u002dsocketio"'),
        ('5:::{"name":"--socketio"}', rb'5:::{"name":"-\u002dsocketio"}'),
        (r'6:::1+["\\--socketio"]', rb'6:::1+["\\-\u002dsocketio"]'),
    ],
)
def test_a_packet_is_a_part(text, body):
    assert multipart_part(text) == PART_HEAD + body + b"\r\n--socketio\r\n"


@given(st.lists(texts_of(*DASHES), max_size=4))
def test_no_packet_can_write_a_boundary(texts):
    stream = multipart_head(SID) + b"".join(map(multipart_part, texts))
    assert stream.count(BOUNDARY) == len(texts) + 2
    assert len(parts_of(stream)) == len(texts) + 1


@given(texts_of(*DASHES))
def test_a_plain_message_only_gets_an_invisible_character(text):
    packet = encode({"type": "message", "data": text})
    [body] = parts_of(BOUNDARY + b"\r\n" + multipart_part(packet))
    sent = to_utf8(packet).decode()
    if "--socketio" in text:
        assert body == sent.replace("--socketio", "-\u2060-socketio")
    else:
        assert body == sent


values = st.recursive(
    st.one_of(st.none(), st.integers(), texts_of(*DASHES)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts_of(*DASHES), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.one_of(
        st.fixed_dictionaries({"type": st.just("json"), "data": values}),
        st.fixed_dictionaries(
            {
                "type": st.just("event"),
                "name": texts_of(*DASHES),
                "args": st.lists(values, max_size=3),
            }
        ),
        st.fixed_dictionaries(
            {"type": st.just("ack"), "ackId": st.integers(0, 99), "args": st.lists(values)}
        ),
    )
)
def test_a_packet_of_json_means_what_it_meant(packet):
    text = encode({**packet, "endpoint": "/chat"})
    [body] = parts_of(BOUNDARY + b"\r\n" + multipart_part(text))
    assert decode(body) == decode(text)
