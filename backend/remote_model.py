"""The language model that a run at a host keeps, brought into the run's folder here.

Its sums have no hash of their own in the manifest, so they are held against what that has: the
weights. A file that does not have its sum is not stored.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from backend.kept_model import KEPT, MODEL_FOLDER, SUMS_NAME, WEIGHTS_NAME, keeps_model, sums_of
from backend.manifest import RunError
from backend.remote import read_small
from backend.remote_cache import disk_told, write_whole
from backend.remote_runs import RemoteRun

LARGEST_SUMS = 10_000  # bytes
LARGEST_FILE = 500_000_000  # bytes of one file of a model that is small enough to ship with a run


def fetch_model(run: RemoteRun) -> None:
    """Bring the model here that the run keeps, if it keeps one; the sums come last.

    Raises:
        RunError: a file is missing, too large, or not the one that the run was made with.
    """
    there, here = run.address / MODEL_FOLDER, run.folder / MODEL_FOLDER
    if not keeps_model(run.manifest.config) or (here / SUMS_NAME).exists():
        return
    listed = read_small(there / SUMS_NAME, LARGEST_SUMS)
    sums = sums_of(listed.decode("utf-8", "replace"))
    if set(sums) != set(KEPT) or sums[WEIGHTS_NAME] != run.manifest.model_sha256:
        raise RunError(
            f"{there / SUMS_NAME} does not list the model that {run.name} was made with, so it is "
            "not fetched. Put the folder of a good copy of the run there."
        )
    for name, digest in sums.items():
        if _is_whole(here / name, digest):
            continue
        content = read_small(there / name, LARGEST_FILE)
        if hashlib.sha256(content).hexdigest() != digest:
            raise RunError(
                f"{there / name} was damaged or changed after it was written (SHA-256 differs). "
                "Put the file of a good copy of the run there."
            )
        with disk_told():
            write_whole(here / name, content)
    with disk_told():
        write_whole(here / SUMS_NAME, listed)


def _is_whole(path: Path, digest: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest
