"""Searches of small spaces on the digits, which tests of many parts begin with."""

import torch
from rich.console import Console

import nasir
from nasir.data import load_data
from nasir.runs.request import Request
from nasir.runs.run import search
from nasir.runs.summary import Summary
from nasir.searching.loop import Search
from nasir.searching.prices import targets

SAME_BYTES = ("arch.nas", "metrics.jsonl", "choices.json", "model.py", "model.safetensors", "plan.json", "space.nas")
"""Files of a run that are the same bytes again."""


def search_of(space: nasir.Space, seed: int = 0) -> Search:
    """A search at its beginning."""
    goal = targets(space.settings.objective, space.costs)
    return Search(space, load_data("digits"), goal, seed, torch.device("cpu"))


def run(space: nasir.Space, out, **options) -> Summary:
    """A whole run, into a folder."""
    return search(space, Request("digits", out, **options), Console(quiet=True)).summary
