"""The command line as processes that need not load torch again: forks of the test's own process.

They have streams, a working folder, an environment, signals and an exit status of their own, as a shell's have. What is
about starting a process (imports, closed streams, Python's own switches) is tested with `subprocess`.
"""

import os
import signal
import subprocess
import sys
import warnings
from typing import Any

import torch


class Command(subprocess.Popen):
    """`nasir` with these arguments; otherwise a Popen."""

    def __init__(self, arguments, **options: Any) -> None:
        super().__init__(["nasir", *map(str, arguments)], **options)

    def _execute_child(self, args, *rest) -> None:
        prepare, cwd, env, new_session = rest[1], rest[4], rest[5], rest[20]
        ends = (rest[9], rest[12], rest[14])  # of the pipes: what it reads, what it writes to stdout and to stderr
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                for ours in (rest[10], rest[11], rest[13]):  # whoever reads waits for every writer to close
                    if ours >= 0:
                        os.close(ours)
                for new, old in enumerate(ends):
                    if old >= 0:
                        os.dup2(old, new)
                if new_session:
                    os.setsid()
                if prepare is not None:
                    prepare()
                status = _run(args, cwd, env)
            finally:
                os._exit(status)
        self._child_created = True
        for end in ends:
            if end >= 0:
                os.close(end)


def _run(arguments, cwd, env) -> int:
    """The command in this process; its exit status."""
    from nasir.cli import main

    if env is not None:
        os.environ.clear()
        os.environ.update(env)
    if cwd is not None:
        os.chdir(cwd)
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL)
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    sys.argv = list(arguments)
    sys.stdout, sys.stderr = (open(fd, "w", encoding="utf-8", closefd=False) for fd in (1, 2))  # noqa: SIM115
    try:
        main.run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    return 0


def run(arguments, *, input=None, capture_output=False, check=False, timeout=None, **options: Any):
    """The command, run to its end, as `subprocess.run` does it."""
    if input is not None:
        options["stdin"] = subprocess.PIPE
    if capture_output:
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with Command(arguments, **options) as process:
        out, err = process.communicate(input, timeout=timeout)
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    if check:
        assert done.returncode == 0, err
    return done


def nasir(*arguments, **options: Any):
    """The command, run to its end, its streams captured as text."""
    return run(arguments, capture_output=True, text=True, **options)
