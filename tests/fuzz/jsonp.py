"""Forms of jsonp-polling on the way in, scripts for the page on the way out."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, quote_plus

from socketio.errors import PayloadError
from socketio.wire.jsonp import form_text, jsonp_error, jsonp_script
from socketio.wire.payload import MARKER
from tests.fuzz.texts import check_complaint, text_of

_CALL = re.compile(r'io\.j\[42\]\(("[^"\\]*(?:\\.[^"\\]*)*")\);')
_ERROR = re.compile(r'io\.j\[42\]\(new Error\(("[^"\\]*(?:\\.[^"\\]*)*")\)\);')


def fuzz(data: bytes) -> None:
    text = text_of(data)
    check_form(data)
    assert form_text(f"d={quote_plus(json.dumps(text))}".encode()) == text
    check_script(_CALL, jsonp_script("42", text), text)
    check_script(_ERROR, jsonp_error("42", text), text)


def check_form(body: bytes) -> None:
    """Check that a body has the one text in its field ``d``, or the documented error."""
    try:
        text = form_text(body)
    except PayloadError as error:
        check_complaint(error)
        return
    fields = parse_qsl(body.decode(), keep_blank_values=True)
    values = [value for name, value in fields if name == "d"]
    assert len(values) == 1
    assert json.loads(values[0]) == text


def check_script(form: re.Pattern[str], script: str, text: str) -> None:
    """Check that ``script`` is one call with one string, which reads as ``text``."""
    match = form.fullmatch(script)
    assert match is not None, script
    plain = script.replace(MARKER, "")
    assert plain.isascii()
    assert plain.isprintable()
    assert json.loads(match[1]) == text
