"""Where we do not answer as the authors of a corpus do, and why.

Every case that is not listed must be answered as they say. A name that is no longer in the corpus,
or a decision that has become theirs too, fails the tests.
"""

from __future__ import annotations

from tests.corpora.cases import Decision, Verdict

_LIMIT = "well-formed; our limits are other ones: a line of 8,191 bytes, a header of 64 KiB"
_LOW_LIMIT = "well-formed; gunicorn is set to a lower limit than anybody would choose"
_CODING = "we undo no transfer coding but chunked, and refuse others before they mislead"
_UNDERSCORE = "a name with an underscore is no Transfer-Encoding, and no application sees it"
_FOLDING = "an option of gunicorn unfolds header lines; we refuse folded ones"
_PROXY_LINE = "the PROXY protocol, an option of gunicorn; to us it is a malformed request line"
_METHOD = "a method begins with a letter and is in capitals; an option of gunicorn takes others"
_ANY_METHOD = "llhttp has a list of methods; we leave it to the application what a method means"
_NOT_HTTP = "llhttp speaks ICE and RTSP too; we speak HTTP"


def _refused(reason: str) -> Decision:
    return Decision(Verdict.REFUSED, reason)


def _served(reason: str) -> Decision:
    return Decision(Verdict.SERVED, reason)


GUNICORN = {
    # Called invalid by gunicorn as it is by default.
    "invalid/006": _served(_LIMIT),
    "invalid/007": _served(_LIMIT),
    "invalid/008": _served(_LIMIT),
    "invalid/017": _served(_LIMIT),
    # Called invalid because of an option.
    "invalid/010": _served(_LOW_LIMIT),
    "invalid/011": _served(_LOW_LIMIT),
    "invalid/012": _served(_LOW_LIMIT),
    "invalid/013": _refused("we refuse folded header lines, whatever their length"),
    "invalid/019": _served("we take no scheme from these headers, so they contradict nothing"),
    "invalid/040": _served(_UNDERSCORE),
    "invalid/chunked_07": _served(_UNDERSCORE),
    "invalid/limit_header_default_01": _served(_LIMIT),
    "invalid/pp_01": _refused(_PROXY_LINE),
    "invalid/pp_02": _refused(_PROXY_LINE),
    "invalid/pp_03": _refused(_PROXY_LINE),
    # Called valid by gunicorn as it is by default.
    "valid/025": _refused(_CODING),
    "valid/025_line": _refused(_CODING),
    "valid/029": _refused(_CODING),
    "valid/030": _refused(_CODING),
    "valid/031": _refused("a method that begins with a hyphen: allowed, and used by nobody"),
    "valid/099": _refused("it announces 17,914 bytes of body and breaks off after 8,599"),
    "valid/rfc9112_smuggle_gzip_chunked_01": _refused(_CODING),
    "valid/rfc9112_smuggle_te_identity_chunked_01": _refused(_CODING),
    # Called valid because of an option.
    "valid/024": _served("a request line of 8,194 bytes"),
    "valid/026": _served("within our limits without an option"),
    "valid/028": _refused("white space before a colon hides a header from some parsers"),
    "valid/031compat": _refused(_METHOD),
    "valid/031compat2": _refused(_METHOD),
    "valid/040_compat": _served(_UNDERSCORE),
    "valid/compat_obs_fold": _refused(_FOLDING),
    "valid/compat_obs_fold_huge": _refused(_FOLDING),
    "valid/pp_01": _refused(_PROXY_LINE),
    "valid/pp_02": _refused(_PROXY_LINE),
    "valid/pp_03": _served("without a PROXY line the option changes nothing"),
    "valid/pp_04": _refused(_PROXY_LINE),
    "valid/pp_05": _refused(_PROXY_LINE),
}

LLHTTP = {
    # Called errors.
    "invalid.md: HTTP protocol and ANNOUNCE method": _served(_ANY_METHOD),
    "invalid.md: Invalid method": _served(_ANY_METHOD),
    # Called sound.
    "method.md: CONNECT with body": _served(
        "what a length is given for is a body, with CONNECT too"
    ),
    "method.md: M-SEARCH request": _refused("the target * is for OPTIONS alone (RFC 9112, 3.2.4)"),
    "method.md: SOURCE request with ICE": _refused(_NOT_HTTP),
    "method.md: OPTIONS request with RTSP": _refused(_NOT_HTTP),
    "method.md: ANNOUNCE request with RTSP": _refused(_NOT_HTTP),
    "sample.md: No HTTP version": _refused("HTTP/0.9 has no header, and no Host"),
    "transfer-encoding.md: POST with `chunked` as last transfer-encoding": _refused(_CODING),
    "transfer-encoding.md: POST with `chunked` as last transfer-encoding (multiple headers)": (
        _refused(_CODING)
    ),
}
