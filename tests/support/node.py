"""Node.js for test programs that need a newer one than the front end does."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: They need this Node.js.
OLDEST_NODE = 22


def find_node() -> str:
    """Node.js of the machine, or else that of the project, if new enough; empty if neither is."""
    for node in (shutil.which("node"), str(ROOT / ".venv/bin/node")):
        if node and Path(node).exists():
            version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
            if int(version.lstrip("v").partition(".")[0] or 0) >= OLDEST_NODE:
                return node
    return ""
