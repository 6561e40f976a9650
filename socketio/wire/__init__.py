"""The wire: texts, lengths, URLs and origins. Pure, no gevent, no sockets, no clock, no logging."""
