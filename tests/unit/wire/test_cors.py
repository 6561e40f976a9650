"""The origin policy: closed by default, no trick with a prefix, a port or a scheme opens it."""

import pytest

from socketio.errors import ConfigError
from socketio.wire.cors import OriginPolicy


def request(origin=None, host="good.example:8080", scheme="http", **headers):
    """Return the part of a WSGI environment that the policy looks at."""
    environ = {"wsgi.url_scheme": scheme, "HTTP_HOST": host, "HTTP_ORIGIN": origin}
    environ.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
    return {name: value for name, value in environ.items() if value is not None}


GOOD = [
    request("http://good.example:8080"),
    request("HTTP://Good.Example:8080"),
    request("http://good.example:8080", host="GOOD.example:8080"),
    request("ws://good.example:8080"),
    request("http://good.example", host="good.example"),
    request("http://good.example:80", host="good.example"),
    request("http://good.example", host="good.example:80"),
    request("https://good.example", host="good.example", scheme="https"),
    request("https://good.example", host="good.example:443", scheme="https"),
    request("wss://good.example", host="good.example", scheme="https"),
    request("http://127.0.0.1:6543", host="127.0.0.1:6543"),
    request("http://[::1]:6543", host="[::1]:6543"),
    request("http://my_host", host="my_host"),
    # Node clients on ws 0.4 and older: their Origin has no scheme.
    request("good.example:8080"),
    request("Good.example:8080", host="good.EXAMPLE:8080"),
    request("good.example", host="inner:1", x_forwarded_host="good.example"),
    request("http://good.example:1", host="good.example:1"),
    request("http://good.example:65535", host="good.example:65535"),
    # Behind a proxy: what the browser sees is what counts.
    request("http://good.example", host="inner:1", x_forwarded_host="good.example"),
    request("http://good.example", host="inner:1", x_forwarded_host="good.example, middle, inner"),
    request("https://good.example", host="good.example", x_forwarded_proto="https"),
    request("https://good.example", host="good.example", x_forwarded_proto="HTTPS, http"),
    request("https://good.example", host="good.example", x_forwarded_proto="wss"),
    request(
        "https://good.example:8443",
        host="inner:1",
        x_forwarded_host="good.example:8443",
        x_forwarded_proto="https",
    ),
    # A proxy that does not tell the scheme may have taken TLS off.
    request("https://good.example", host="inner:1", x_forwarded_host="good.example"),
    request("https://good.example", host="good.example", x_forwarded_for="192.0.2.1"),
    request("http://good.example", host="good.example", x_forwarded_for="192.0.2.1"),
    # No Origin: no foreign page, or one that cannot read the answer.
    request(),
    request(referer="http://evil.example/"),
    request(sec_fetch_site="same-origin"),
    request(sec_fetch_site="none"),
    request(sec_fetch_site="same-origin", referer="http://evil.example/"),
    request(sec_fetch_site="cross-site", referer="http://good.example:8080/page"),
]

BAD_ORIGINS = [
    *[
        "null",
        "",
        " ",
        "*",
        "good.example:8081",
        "good.example",
        "//good.example:8080",
        "http:good.example:8080",
    ],
    *["http://evil.example", "http://evil.example:8080", "https://evil.example"],
    # Same host, other port or scheme.
    *["http://good.example", "http://good.example:80", "http://good.example:8081"],
    *["http://good.example:0", "http://good.example:65536", "http://good.example:808"],
    *["http://good.example:80800", "http://good.example:", "http://good.example:-8080"],
    *["http://good.example:\u0668\u0660\u0668\u0660", "http://good.example:8080.", "http://:8080"],
    *["https://good.example:8080", "https://good.example", "wss://good.example:8080"],
    *["ftp://good.example:8080", "file://good.example:8080", "javascript://good.example:8080"],
    *["chrome-extension://good.example:8080", "httpx://good.example:8080", "file://"],
    # Prefixes, suffixes, subdomains and what merely looks alike.
    *["http://good.evil:8080", "http://good.example.evil:8080", "http://evilgood.example:8080"],
    *["http://good.example.:8080", "http://sub.good.example:8080", "http://example:8080"],
    *["http://good-example:8080", "http://goodXexample:8080", "http://g\u043eod.example:8080"],
    *[
        "http://good\u3002example:8080",
        "http://[good.example]:8080",
        "http://xn--good.example:8080",
    ],
    # What a forgiving parser of URLs would read the right host out of.
    *["http://evil@good.example:8080", "http://evil:pw@good.example:8080"],
    *["http://good.example:8080@evil.example", "http://good.example:8080\\@evil.example"],
    *["http://good.example:8080/", "http://good.example:8080/evil", "http://good.example:8080?x"],
    *["http://good.example:8080#x", "http://evil.example/http://good.example:8080"],
    *["http://evil.example?http://good.example:8080", "http:///good.example:8080"],
    *[" http://good.example:8080", "http://good.example:8080 ", "http://good.example:8080\t"],
    *["http://go\tod.example:8080", "http://good.example:8080\n", "http://good.example%3a8080"],
    *["http://good.example:8080,http://evil.example", "http://evil.example,http://good.example"],
    *["http://good.example:8080 http://evil.example", "http\x00://good.example:8080"],
    *["http\u017f://good.example:8080", "http://[::1", "http://[", "http://]", "://", "http://"],
]

BAD_REQUESTS = [
    # The host of the proxy is not the host the browser sees, and the other way round.
    request("http://inner:1", host="inner:1", x_forwarded_host="good.example"),
    request("http://middle", host="inner:1", x_forwarded_host="good.example, middle"),
    request("http://good.example", host="good.example", x_forwarded_proto="https"),
    request("https://good.example", host="good.example", x_forwarded_proto="http"),
    request("http://good.example", host="good.example", scheme="https"),
    request("http://good.example", host="good.example", x_forwarded_proto="nonsense"),
    request("https://good.example:8443", host="inner:1", x_forwarded_host="good.example"),
    # No Host, or none that can be understood.
    request("http://good.example", host=None),
    request("http://good.example", host=""),
    request("http://good.example", host="good.example/"),
    request("http://good.example", host="evil@good.example"),
    request("http://good.example", host=", good.example"),
    request("null", host="null"),
    request("", host=""),
    # The browser says so itself.
    request(sec_fetch_site="cross-site"),
    request(sec_fetch_site="same-site"),
    request(sec_fetch_site=""),
    request(sec_fetch_site="SAME-ORIGIN"),
    request(sec_fetch_site="cross-site", referer="http://evil.example/"),
    request(sec_fetch_site="same-site", referer="http://sub.good.example:8080/"),
    # A good Referer does not make up for a bad Origin.
    request("http://evil.example", referer="http://good.example:8080/"),
    request("null", sec_fetch_site="same-origin"),
]


@pytest.mark.parametrize("environ", GOOD, ids=repr)
def test_by_default_the_own_origin_and_clients_without_one_may_come(environ):
    assert OriginPolicy().allows(environ)
    assert OriginPolicy(None).allows(environ)
    assert OriginPolicy([]).allows(environ)


@pytest.mark.parametrize("origin", BAD_ORIGINS, ids=ascii)
@pytest.mark.parametrize("script", [False, True])
def test_by_default_no_other_origin_may_come(origin, script):
    assert not OriginPolicy().allows(request(origin), script=script)


@pytest.mark.parametrize("environ", BAD_REQUESTS, ids=repr)
def test_by_default_no_request_of_another_site_may_come(environ):
    assert not OriginPolicy().allows(environ)


@pytest.mark.parametrize(
    ("origin", "old_name", "allowed"),
    [
        (None, "http://good.example:8080", True),
        (None, "http://evil.example", False),
        (None, "null", False),
        (None, "", False),
        ("http://good.example:8080", "http://evil.example", True),
        ("http://evil.example", "http://good.example:8080", False),
        ("", "http://good.example:8080", False),
    ],
)
def test_the_name_the_header_had_in_the_drafts_of_websocket_counts_without_the_other(
    origin, old_name, allowed
):
    environ = request(origin, sec_websocket_origin=old_name)
    assert OriginPolicy().allows(environ) is allowed
    echoed = old_name if origin is None else origin
    assert ("Access-Control-Allow-Origin", echoed) in OriginPolicy().headers(environ)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"referer": ""}, True),
        ({"referer": "http://good.example:8080/"}, True),
        ({"referer": "http://good.example:8080"}, True),
        ({"referer": "http://good.example:8080/page?a=http://evil.example/#x"}, True),
        ({"referer": "http://good.example:8080//evil.example/"}, True),
        ({"referer": "http://evil.example/"}, False),
        ({"referer": "http://evil.example/http://good.example:8080/"}, False),
        ({"referer": "http://evil.example/?http://good.example:8080/"}, False),
        ({"referer": "http://good.example:8080@evil.example/"}, False),
        ({"referer": "http://evil@good.example:8080/"}, False),
        ({"referer": "http://good.example/"}, False),
        ({"referer": "about:blank"}, False),
        ({"referer": "/"}, False),
        ({"referer": "http://"}, False),
        ({"referer": "http://evil.example/", "sec_fetch_site": "same-origin"}, True),
        ({"referer": "http://good.example:8080/", "sec_fetch_site": "cross-site"}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "cross-site"}, False),
    ],
)
def test_what_a_script_element_can_fetch_is_judged_by_referer_and_sec_fetch_site(headers, allowed):
    assert OriginPolicy().allows(request(**headers), script=True) is allowed


LISTED = ["https://shop.example", "http://localhost:3000"]


@pytest.mark.parametrize(
    "origins",
    [
        LISTED,
        tuple(LISTED),
        set(LISTED),
        iter(LISTED),
        ["HTTPS://Shop.Example:443/", "ws://localhost:3000"],
    ],
    ids=["list", "tuple", "set", "iterator", "other spelling"],
)
def test_a_list_names_further_origins(origins):
    policy = OriginPolicy(origins)
    for good in (*LISTED, "https://shop.example:443", "wss://shop.example"):
        assert policy.allows(request(good))
    assert policy.allows(request("http://good.example:8080"))
    assert policy.allows(request())
    for bad in ("http://shop.example", "https://shop.example:444", "https://sub.shop.example"):
        assert not policy.allows(request(bad))
    for bad in ("http://localhost", "https://localhost:3000", "null", "http://evil.example"):
        assert not policy.allows(request(bad))


def test_a_text_names_origins_between_commas():
    policy = OriginPolicy(" https://shop.example ,, http://localhost:3000,")
    assert policy.allows(request("https://shop.example"))
    assert policy.allows(request("http://localhost:3000"))
    assert not policy.allows(request("http://evil.example"))


def test_a_listed_origin_may_use_scripts():
    policy = OriginPolicy(LISTED)
    assert policy.allows(request(referer="https://shop.example/cart"), script=True)
    assert policy.allows(
        request(referer="https://shop.example/cart", sec_fetch_site="cross-site"), script=True
    )


@pytest.mark.parametrize("origins", ["*", ["*"], ("https://shop.example", "*"), "*, http://a"])
def test_a_star_opens_the_server_to_everyone(origins):
    policy = OriginPolicy(origins)
    for environ in (*BAD_REQUESTS, *map(request, BAD_ORIGINS)):
        assert policy.allows(environ)
        assert policy.allows(environ, script=True)


@pytest.mark.parametrize("origins", ["", " , ", [], ()])
def test_an_empty_list_adds_nothing(origins):
    assert OriginPolicy(origins).allows(request("http://good.example:8080"))
    assert not OriginPolicy(origins).allows(request("http://evil.example"))


@pytest.mark.parametrize(
    "entry",
    [
        *["shop.example", "shop.example:443", "//shop.example", "https:shop.example", "https://"],
        *["https://shop.example/path", "https://shop.example//", "https://shop.example?x"],
        *["https://shop.example#x", "https://user@shop.example", "https://shop.example:"],
        *["https://shop.example:0", "https://shop.example:65536", "https://shop.example:x"],
        *["https://*.shop.example", "https://*", "*://shop.example", "*:*", "**", "null"],
        *["https://b\u00fccher.example", "ftp://shop.example", "https://[::1", ""],
        *[None, 5, b"https://shop.example", ["*"]],
    ],
    ids=repr,
)
def test_an_entry_that_could_never_match_is_refused_by_name(entry):
    with pytest.raises(ConfigError, match="is no origin; write") as caught:
        OriginPolicy(["https://good.example", entry])
    assert str(caught.value).startswith(f"origins: {entry!r} is no origin")


@pytest.mark.parametrize("origins", [5, 1.5, True, False, OriginPolicy()], ids=type)
def test_origins_that_are_no_collection_are_refused(origins):
    with pytest.raises(ConfigError, match=r"^origins: .* is neither a text nor a list$"):
        OriginPolicy(origins)


def test_bytes_are_no_origins():
    with pytest.raises(ConfigError):
        OriginPolicy(b"https://shop.example")


@pytest.mark.parametrize("policy", [OriginPolicy(), OriginPolicy("*"), OriginPolicy(LISTED)])
def test_the_origin_is_echoed_with_credentials_and_never_a_star(policy):
    assert policy.headers(request("https://shop.example")) == [
        ("Access-Control-Allow-Origin", "https://shop.example"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    ]


@pytest.mark.parametrize("policy", [OriginPolicy(), OriginPolicy("*"), OriginPolicy(LISTED)])
def test_without_an_origin_no_header_is_needed(policy):
    assert policy.headers(request()) == []


def test_a_preflight_is_told_methods_and_age_and_no_further_header():
    assert OriginPolicy().preflight_headers(request("http://good.example:8080")) == [
        ("Access-Control-Allow-Origin", "http://good.example:8080"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
        ("Access-Control-Allow-Methods", "POST, GET, OPTIONS"),
        ("Access-Control-Max-Age", "3600"),
    ]
