"""The documentation: what it shows runs, what it says is so, what it links to is there."""
