"""Which Python can run the language model: the app's own has no torch, and never imports it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "SUBATOMIC_TORCH_PYTHON"
PACKAGE = "torch"
ENABLE = (
    "python3 -m venv .venv",
    ".venv/bin/pip install torch==2.13.0",
    ".venv/bin/pip install -r requirements.txt",
)
"""What to type in the repository; the Makefile does the same."""


def torch_python() -> str | None:
    """The Python in SUBATOMIC_TORCH_PYTHON, else this one, else that of `.venv`; None: no torch."""
    named = os.environ.get(VARIABLE)
    if named:
        return shutil.which(str(Path(named).expanduser()))
    if importlib.util.find_spec(PACKAGE) is not None:
        return sys.executable
    own = ROOT / ".venv" / "bin" / "python"
    # by its folder: asking that Python would take seconds
    has_torch = any((ROOT / ".venv").glob(f"lib*/python3*/site-packages/{PACKAGE}/__init__.py"))
    return str(own) if own.exists() and has_torch else None
