"""What this machine is called. It needs nothing of nasir, and goes with kernels that another machine measures."""

import platform
import re
from contextlib import suppress
from pathlib import Path


def processor_name() -> str:
    """The processor's model, as the system tells it."""
    with suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return " ".join(found[1].split())
    return platform.processor() or platform.machine()


def device_name() -> str:
    """System and architecture: a host's own name is nobody's business. `--name` gives a better one."""
    return f"{platform.system()} {platform.machine()}"
