"""Build hook: a standard wheel carries the data folders as `nasir/_data/<name>`.

An editable install finds them beside the package instead (`nasir/resources.py`), because a static force-include
breaks editable installs (pypa/hatch#1627).
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DATA_FOLDERS = ("grammars", "spaces", "codegen", "docs/errors")


class DataFolders(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        for name in DATA_FOLDERS:
            build_data["force_include"][str(Path(self.root, name))] = f"nasir/_data/{name}"
