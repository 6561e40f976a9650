"""Small applications as people wrote them for the original, each with what its users see.

The code of an application stands at the top of its file, as it was written in those years; only
what 2to3 changes was changed. Below it are the tests: clients on real sockets.
"""
