"""A folder that appears complete or not at all, and takes the place of nothing but an older one.

Everything is written beside it, under a hidden name, and renamed at the end, so that a killed or
full-disk export leaves nothing under the final name. `export.json` says what the folder holds: by
it a later export knows that it may replace the folder.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from precompute.config import ConfigError
from precompute.writer import swap_into_place

MARK_NAME = "export.json"
MOST_MARK_BYTES = 1_000_000  # a larger one was not written here


@contextmanager
def export_folder(final: Path, mark: dict[str, Any]) -> Iterator[Path]:
    """Inside, an empty folder to write to; afterwards it is at `final`, with `mark` in it.

    Args:
        final: where it goes; nothing may be there but an empty folder or an earlier export.
        mark: what `export.json` says, `format` among it. It is written last, so what is learned
            on the way can be added to it inside.

    Raises:
        ConfigError: something else is at `final`, or nothing can be written there.
    """
    final = final.expanduser().resolve()
    _check_replaceable(final, mark["format"])
    fresh = final.with_name(f".{final.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(
            f"{final} cannot be made ({error.strerror}). Give another --out"
        ) from error
    try:
        yield fresh
        (fresh / MARK_NAME).write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")
        swap_into_place(fresh, final)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _check_replaceable(final: Path, kind: str) -> None:
    if not final.exists():
        return
    elsewhere = "so it is left as it is. Give another folder with --out"
    if not final.is_dir():
        raise ConfigError(f"{final} is a file, {elsewhere}")
    if not any(final.iterdir()):
        return
    found = _kind_of(final)
    if found is None:
        raise ConfigError(f"{final} holds something else than an earlier export, {elsewhere}")
    if found != kind:
        raise ConfigError(f"{final} holds an export of format {found}, not {kind}, {elsewhere}")


def _kind_of(folder: Path) -> str | None:
    """The format that the mark of an export names; None when it is none of ours."""
    kind = (read_mark(folder) or {}).get("format")
    return kind if isinstance(kind, str) else None


def read_mark(folder: Path) -> dict[str, Any] | None:
    """What the `export.json` in a folder says; None without one, or when it is none of ours."""
    mark = folder / MARK_NAME
    try:
        if not mark.is_file() or mark.stat().st_size > MOST_MARK_BYTES:
            return None
        body = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
