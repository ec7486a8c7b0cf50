"""The generator of steps: what comes between them, and in which order."""

import math
import signal

import pytest
import torch

from nasir.diagnostics import CompileError, Diagnostic
from nasir.jobs.ranks import Ranks, Share
from nasir.jobs.signals import Pauses, Stopped
from nasir.jobs.steps import steps


def diverged(loss):
    return CompileError(Diagnostic("E0804", f"the loss is {loss}"))


def made(count, pauses, save, work):
    """`count` steps with `work` for each."""
    shares = [Share(0, 8, 8)] * count
    for step in steps(iter(range(count)), shares, Ranks(), torch.device("cpu"), pauses, save, diverged):
        work(step)


def test_the_state_is_saved_after_a_step_that_is_due_and_before_the_stop():
    pauses, events = Pauses(), []
    pauses.due = lambda: len(events) == 2

    def work(step):
        if step.batch == 3:
            pauses.told = signal.SIGINT
        step.check(0.5)
        events.append(step.batch)

    with pytest.raises(Stopped) as stopped:
        made(9, pauses, lambda: events.append("saved"), work)
    assert stopped.value.signal == signal.SIGINT
    assert events == [0, 1, 2, "saved", 3, "saved"]


def test_a_loss_that_is_no_number_ends_the_job_before_anything_changes():
    changed = []

    def work(step):
        step.check(math.nan if step.batch else 1.0)
        changed.append(step.loss)

    with pytest.raises(CompileError, match="the loss is nan"):
        made(3, Pauses(), lambda: changed.append("saved"), work)
    assert changed == [1.0]


def test_a_step_that_does_not_ask_is_a_fault_of_ours():
    with pytest.raises(AssertionError, match="whether its loss is a number"):
        made(2, Pauses(), lambda: None, lambda step: None)
