"""The examples: each is started as its README says and used in Chromium by two people."""
