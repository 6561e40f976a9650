"""The Autobahn Testsuite against our WebSocket: ``python -m tests.autobahn``.

Goal G4: of the sections 1 to 7 and 10, no case failed, at most 11 non-strict, none unclean.
"""
