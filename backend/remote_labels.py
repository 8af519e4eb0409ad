"""The label file beside a run at a host, `<run>.labels.csv`, brought beside the run's folder here.

A manifest does not cover it, because people edit it while the run stays: so it has no hash, only a
largest size, and it is looked at again whenever the host is asked.
"""

from __future__ import annotations

from pathlib import Path

from backend.edited_labels import MOST_BYTES, labels_path
from backend.remote import open_remote
from backend.remote_address import NotThereError
from backend.remote_cache import disk_told, write_whole
from backend.remote_runs import RemoteRun

_stamps: dict[Path, str] = {}


def fetch_labels(run: RemoteRun) -> None:
    """Bring the label file beside a run here when it is new or changed; forget one that is gone.

    Raises:
        RunError: it cannot be read, or is larger than a label file may be; the last one stays.
    """
    here = labels_path(run.folder)
    try:
        with open_remote(run.address.parent / here.name) as file:
            if file.stamp and here.exists() and _stamps.get(here) == file.stamp:
                return
            content = file.rest(MOST_BYTES)
            stamp = file.stamp
    except NotThereError:
        with disk_told():
            here.unlink(missing_ok=True)
        return
    with disk_told():
        if not (here.exists() and here.read_bytes() == content):  # else an open run stays open
            write_whole(here, content)
    _stamps[here] = stamp
