"""Whose word counts: trusted proxies, everybody else, and headers that nobody should believe."""

import ipaddress
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.errors import ConfigError
from socketio.wire.cors import OriginPolicy
from socketio.wire.forwarded import TrustedProxies

CLAIMS = {
    "HTTP_X_FORWARDED_FOR": "192.0.2.1",
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_PORT": "443",
    "HTTP_X_FORWARDED_PREFIX": "/evil",
    "HTTP_X_FORWARDED_SCHEME": "https",
    "HTTP_X_FORWARDED_SERVER": "evil.example",
    "HTTP_X_FORWARDED_SSL": "on",
    "HTTP_X_REAL_IP": "192.0.2.1",
    "HTTP_FORWARDED": "for=192.0.2.1;proto=https",
}
PROXY = "10.0.0.1"
TRUSTED = "10.0.0.0/8, 2001:db8:1::/48"


def request(peer=PROXY, forwarded_for=None, **more):
    """Return a WSGI environment as the connection has it; no peer: over a Unix socket."""
    environ = {"wsgi.url_scheme": "http", "HTTP_HOST": "good.example"}
    if peer is not None:
        environ.update(REMOTE_ADDR=peer, REMOTE_PORT="4711")
    if forwarded_for is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded_for
    return {**environ, **more}


def applied(value, environ):
    TrustedProxies(value).apply(environ)
    return environ


def client_of(forwarded_for, trusted=TRUSTED):
    return applied(trusted, request(forwarded_for=forwarded_for))["REMOTE_ADDR"]


# -- without a proxy -------------------------------------------------------------------------------


def test_nothing_changes_where_no_proxies_are_configured():
    for peer in (PROXY, None):
        environ = request(peer, **CLAIMS)
        assert applied(None, dict(environ)) == environ
    assert not TrustedProxies(None)
    assert not TrustedProxies()


@pytest.mark.parametrize("value", [[], (), "", " , ", "127.0.0.1", "*", "unix"])
def test_what_is_configured_counts_even_if_it_is_nobody(value):
    assert TrustedProxies(value)


# -- who is trusted --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "peer"),
    [
        ("10.0.0.1", "10.0.0.1"),
        (["10.0.0.1"], "10.0.0.1"),
        (("192.0.2.1", " 10.0.0.1 "), "10.0.0.1"),
        (iter(["10.0.0.1"]), "10.0.0.1"),
        (" 192.0.2.1 ,, 10.0.0.0/8 ", "10.255.255.255"),
        ([ipaddress.ip_network("10.0.0.0/8")], "10.0.0.1"),
        ([ipaddress.ip_address("10.0.0.1")], "10.0.0.1"),
        ("0.0.0.0/0", "198.51.100.1"),
        ("10.0.0.1", "::ffff:10.0.0.1"),
        ("10.0.0.0/8", "::FFFF:a00:1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.0/104", "::ffff:10.9.9.9"),
        ("::1", "::1"),
        ("::1", "0:0:0:0:0:0:0:1"),
        ("2001:db8::/32", "2001:DB8:ffff::1"),
        ("fe80::/10", "fe80::1%eth0"),
        ("fe80::1%eth0", "fe80::1"),
        ("::/0", "2001:db8::1"),
        ("*", "198.51.100.1"),
        ("*", "2001:db8::1"),
        ("*", "no address at all"),
        ("192.0.2.1, *", "198.51.100.1"),
        ("unix", None),
        ("unix", ""),
        ("127.0.0.1, unix", None),
        ("*", None),
    ],
)
def test_a_trusted_peer_speaks_for_its_client(value, peer):
    environ = applied(value, request(peer, "203.0.113.9"))
    assert environ["REMOTE_ADDR"] == "203.0.113.9"
    assert environ["socketio.proxy_addr"] == (peer or "unix")
    assert "REMOTE_PORT" not in environ


@pytest.mark.parametrize(
    ("value", "peer"),
    [
        ("", PROXY),
        ([], None),
        ("10.0.0.2", PROXY),
        ("11.0.0.0/8", PROXY),
        ("::/0", PROXY),
        ("0.0.0.0/0", "::1"),
        ("0.0.0.0/0", "2001:db8::10.0.0.1"),
        ("::1", "::2"),
        ("unix", PROXY),
        ("unix", "unix"),
        ("10.0.0.0/8", None),
        ("10.0.0.0/8", ""),
        ("10.0.0.0/8", "localhost"),
        ("10.0.0.0/8", "10.0.0"),
        ("10.0.0.0/8", "010.0.0.1"),
    ],
)
def test_what_anybody_else_says_is_removed(value, peer):
    environ = applied(value, request(peer, **CLAIMS))
    assert environ == request(peer)


def test_the_origin_policy_is_not_fooled_by_a_peer_that_is_not_trusted():
    told = {
        "HTTP_ORIGIN": "http://evil.example",
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_X_FORWARDED_PROTO": "http",
    }
    policy = OriginPolicy()
    assert policy.allows(applied("*", request(**told)))
    assert not policy.allows(applied("192.0.2.1", request(**told)))


def test_the_scheme_does_not_open_up_either_for_a_peer_that_is_not_trusted():
    # With X-Forwarded-For alone either scheme would be the server's own.
    told = {"HTTP_ORIGIN": "https://good.example", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}
    assert OriginPolicy().allows(applied(PROXY, request(**told)))
    assert not OriginPolicy().allows(applied("192.0.2.1", request(**told)))


# -- whose address it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9\t", "203.0.113.9"),
        # From the right: what the client wrote itself stands on the left.
        ("192.0.2.66, 203.0.113.9", "203.0.113.9"),
        ("192.0.2.66, 203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("192.0.2.66,203.0.113.9,10.2.2.2,10.3.3.3", "203.0.113.9"),
        ("10.6.6.6, 203.0.113.9, 2001:db8:1::2", "203.0.113.9"),
        # A client within the trusted network.
        ("10.1.1.1", "10.1.1.1"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("2001:db8:1::2, 10.2.2.2", "2001:db8:1::2"),
        # Empty elements are none.
        ("203.0.113.9,", "203.0.113.9"),
        (",203.0.113.9, ,10.2.2.2,,", "203.0.113.9"),
        # However it is written.
        ("203.0.113.9:4711", "203.0.113.9"),
        ("203.0.113.9:", "203.0.113.9"),
        ('"203.0.113.9:4711"', "203.0.113.9"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
        ("192.0.2.66, ::ffff:10.1.1.1", "192.0.2.66"),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%<script>", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
    ],
)
def test_the_client_is_the_last_one_that_is_no_proxy(header, client):
    assert client_of(header) == client


GARBAGE = [
    *["unknown", "_hidden", "localhost", "good.example", "unix:", "-", ".", "%", ":", "[]", ":::"],
    *["1.2.3", "1.2.3.4.5", "256.1.1.1", "010.0.0.1", "0x7f.1", "127.1", "2130706433"],
    *["[::1", "::1]", "[::1]x", "[::1]:x", "[[::1]]", "1.2.3.4:x", "1.2.3.4:5:6", "1::2::3"],
    *["\u0661.2.3.4", "1.2.3.4:\u0661", "1.2.3.4 5", "for=1.2.3.4", "1.2.3.4;proto=http"],
    *["'1.2.3.4'", "1.2.3.4/8", "\0", "\x7f", "\xff", "%1.2.3.4", "::1 %"],
    *["9" * 60000, "1.2.3.4:" + "9" * 60000, "[" * 60000, ":" * 60000, "::%" + "1" * 60000],
]


@pytest.mark.parametrize("entry", GARBAGE, ids=lambda entry: ascii(entry[:12]))
def test_what_is_no_address_is_as_far_as_we_can_see(entry):
    assert client_of(entry) == PROXY
    assert client_of(f"192.0.2.66, {entry}") == PROXY
    assert client_of(f"{entry}, 203.0.113.9") == "203.0.113.9"
    assert client_of(f"192.0.2.66, {entry}, 10.2.2.2") == "10.2.2.2"
    assert client_of(f"192.0.2.66, {entry}, 10.2.2.2", "*") == "10.2.2.2"
    assert client_of(entry, "*") == PROXY


def test_the_port_of_the_proxy_stays_where_its_address_does():
    for header in (None, "", " , ", "unknown"):
        environ = applied("*", request(forwarded_for=header))
        assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == (PROXY, "4711")
        assert environ["socketio.proxy_addr"] == PROXY


def test_a_unix_socket_without_a_known_client_has_no_address():
    assert "REMOTE_ADDR" not in applied("unix", request(None, "unknown"))


def test_where_everybody_is_trusted_the_first_one_is_the_client():
    assert client_of("192.0.2.66, 203.0.113.9, 198.51.100.1", "*") == "192.0.2.66"


def test_a_route_is_not_followed_for_ever():
    assert client_of("203.0.113.9" + ",10.1.1.1" * 31) == "203.0.113.9"
    assert client_of("203.0.113.9" + ",10.1.1.1" * 32) == "10.1.1.1"
    assert client_of("203.0.113.9" + ",10.1.1.1" * 7000) == "10.1.1.1"
    assert client_of("," * 65000) == PROXY


# -- the rest of what a proxy says -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        (" https ", "https"),
        ("wss", "https"),
        ("http", "http"),
        ("ws", "http"),
        ("https, http", "https"),
        ("http,https", "http"),
        ("", None),
        ("ftp", None),
        ("https:", None),
        ("on", None),
        (",https", None),
        ("https http", None),
        ("\0", None),
    ],
)
@pytest.mark.parametrize("own", ["http", "https"])
def test_the_scheme_is_the_one_the_client_used(told, scheme, own):
    environ = request(**{"HTTP_X_FORWARDED_PROTO": told, "wsgi.url_scheme": own})
    assert applied(TRUSTED, environ)["wsgi.url_scheme"] == (scheme or own)


def test_the_headers_of_a_trusted_proxy_stay_for_the_application():
    environ = applied(TRUSTED, request(**CLAIMS))
    assert {name: environ.get(name) for name in CLAIMS} == CLAIMS


def test_a_request_without_such_headers_keeps_its_address():
    environ = request()
    assert applied(TRUSTED, dict(environ)) == {**environ, "socketio.proxy_addr": PROXY}
    assert applied("192.0.2.1", dict(environ)) == environ


# -- configuration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *["localhost", "nginx", "10.0.0.1:80", "10.0.0", "10.0.0.0/33", "10.0.0.1/8", "[::1]"],
        *["300.0.0.1", "none", "UNIX", "10.0.0.1;10.0.0.2", "*.example", "::1/129", "-"],
        *[["10.0.0.1", ""], [None], [1], [b"10.0.0.1"], [["10.0.0.1"]], b"10.0.0.1", {1: 2}],
        *[1, 1.5, True, object()],
    ],
)
def test_what_is_neither_address_nor_network_is_refused_by_name(value):
    with pytest.raises(ConfigError, match=r"^trusted_proxies: "):
        TrustedProxies(value)


def test_a_network_with_bits_of_a_host_is_explained():
    with pytest.raises(ConfigError, match=r"'10\.0\.0\.1/8'.*has host bits set"):
        TrustedProxies("10.0.0.1/8")


# -- whatever comes --------------------------------------------------------------------------------

ADDRESSES = st.ip_addresses().map(str)
PIECES = st.one_of(
    ADDRESSES,
    st.text(string.printable, max_size=20),
    st.characters(),
    st.sampled_from([",", ", ", ":", "[", "]", '"', "%", "unknown", PROXY]),
)
HEADERS = st.lists(PIECES, max_size=12).map("".join)
VALUES = st.sampled_from([None, "", "*", "unix", TRUSTED, "0.0.0.0/0, ::/0"])
PEERS = st.one_of(st.none(), ADDRESSES, st.just(PROXY), st.text(max_size=20))


@given(VALUES, PEERS, HEADERS, HEADERS)
def test_no_header_raises_and_what_comes_out_is_an_address(value, peer, route, scheme):
    environ = applied(value, request(peer, route, HTTP_X_FORWARDED_PROTO=scheme))
    assert environ["wsgi.url_scheme"] in ("http", "https")
    address = environ.get("REMOTE_ADDR")
    if address != peer:
        assert str(ipaddress.ip_address(address)) == address
        assert "%" not in address


@given(HEADERS, ADDRESSES)
def test_nothing_a_client_writes_hides_its_address_from_a_proxy_that_appends_it(header, client):
    expected = ipaddress.ip_address(client)
    expected = str(getattr(expected, "ipv4_mapped", None) or expected)
    assert client_of(f"{header}, {client}", PROXY) == expected or expected == PROXY


@given(PEERS, HEADERS)
def test_only_trust_makes_a_difference(peer, header):
    environ = applied("192.0.2.255", request(peer, header))
    if peer != "192.0.2.255":
        assert environ == request(peer)
