"""Passes: small, named, pure functions from graph to graph; one file each, one order in `pipeline.py`."""
