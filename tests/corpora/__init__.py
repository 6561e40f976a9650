"""Malformed and well-formed HTTP that others have collected, sent to our server.

The files are read from the source distributions of their projects, which are fetched once; none of
them is part of this repository.
"""
