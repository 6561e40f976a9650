"""Arguments of a server for some kinds of clients."""

PHONES = {
    "heartbeat_interval": 20,  # something is sent before a carrier forgets the connection
    "heartbeat_timeout": 50,  # who is lost without a word is noticed after that
    "close_timeout": 90,  # who polls may be away for that long
}
TELEVISIONS = {
    "transports": ["websocket", "xhr-polling", "jsonp-polling"],
    "heartbeat_interval": 20,
    "heartbeat_timeout": 120,  # a set that decodes a film answers late
    "polling_duration": 20,
}
PRICES = {
    "slow_peer": "drop_oldest",  # the newest counts, not each
    "max_outbound_packets": 100,
    "max_outbound_size": 200_000,
}
MANY_CLIENTS = {
    "max_sessions": 20_000,  # one more is told to try again, 503
    "backlog": 4096,
    "max_inbound_packets": 100,
    "max_inbound_size": 100_000,
    "max_outbound_size": 500_000,
    "max_body_size": 100_000,
    "max_message_size": 100_000,
}
