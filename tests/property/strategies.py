"""What the properties are checked on: texts that hurt, packets, and small damage to a text."""

from hypothesis import strategies as st

from socketio.packet import ERROR_ADVICES, ERROR_REASONS

# Separators of the wire, JSON, the marker, both halves of an emoji and the whole, line ends.
_SPECIAL = ':+/?&=%0123456789{}[]",\\ \n\r\x00\ufffd\ufeff\u2028\u0661\u00e9\ud83d\ude00\U0001f600'

characters = st.one_of(st.sampled_from(_SPECIAL), st.characters(), st.characters(categories=["Cs"]))
short_texts = st.text(characters, max_size=30)
long_texts = st.builds(lambda text, times: text * times, short_texts, st.integers(0, 500))
texts = st.one_of(short_texts, short_texts, long_texts)

json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(-(10**40), 10**40),
        st.floats(allow_nan=False, allow_infinity=False),
        short_texts,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(short_texts, inner, max_size=4)
    ),
    max_leaves=12,
)

endpoints = st.one_of(
    st.just(""), st.just("/chat"), short_texts.map(lambda text: text.replace(":", ""))
)


def _packets(kind, **keys):
    return st.fixed_dictionaries({"type": st.just(kind), "endpoint": endpoints, **keys})


def _with_id(packets):
    ids = st.fixed_dictionaries(
        {"id": st.integers(0, 10**32 - 1), "ack": st.sampled_from([True, "data"])}
    )
    return st.builds(
        lambda packet, extra: {**packet, **extra}, packets, st.one_of(st.just({}), ids)
    )


packets = st.one_of(
    _packets("disconnect"),
    _packets("connect", qs=texts),
    _packets("heartbeat"),
    _packets("noop"),
    _with_id(_packets("message", data=texts)),
    _with_id(_packets("json", data=json_values)),
    _with_id(_packets("event", name=short_texts, args=st.lists(json_values, max_size=4))),
    _packets("ack", ackId=st.integers(0, 10**32 - 1), args=st.lists(json_values, max_size=4)),
    # Without an endpoint, for the original's form of an error that says nothing loses it.
    st.fixed_dictionaries(
        {
            "type": st.just("error"),
            "endpoint": st.just(""),
            "reason": st.sampled_from(["", *ERROR_REASONS]),
            "advice": st.sampled_from(["", *ERROR_ADVICES]),
        }
    ),
    _packets(
        "error",
        reason=st.sampled_from(list(ERROR_REASONS)),
        advice=st.sampled_from(["", *ERROR_ADVICES]),
    ),
)


@st.composite
def damaged(draw, originals):
    """Draw a text and delete, insert, replace, double or cut off a few characters of it."""
    text = draw(originals)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = draw(st.integers(start, min(len(text), start + 5)))
        change = draw(st.sampled_from(["delete", "insert", "replace", "double", "cut"]))
        middle = {
            "delete": "",
            "insert": text[start:stop] + draw(short_texts),
            "replace": draw(short_texts),
            "double": text[start:stop] * 2,
            "cut": "",
        }[change]
        text = text[:start] + middle + ("" if change == "cut" else text[stop:])
    return text


def joined(value):
    """Return ``value`` with each pair of surrogates made the one character that it means.

    UTF-16 cannot tell the two apart, nor can JSON in ASCII.
    """
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    if isinstance(value, list):
        return [joined(item) for item in value]
    if isinstance(value, dict):
        return {joined(key): joined(item) for key, item in value.items()}
    return value
