"""`manifest.json`: what a run holds, where it came from, and the hash that a shared link carries.

The file is written last and in one canonical form (sorted keys, two-space indent), so any changed
byte is noticed: either the text is no longer canonical, or the content hash no longer fits. It
holds no date and no duration, so that the same config and data always give the same hash.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from backend.schema import MANIFEST_NAME, SCHEMA_VERSION

MOST_REMEMBERED = 64  # manifests, as long as their text stays
HASH_PREFIX_LENGTH = 12  # characters of the content hash that links and pages show


class RunError(Exception):
    """A run cannot be used: the message says what is wrong, where, and what to do next."""


@dataclass(frozen=True)
class FileRecord:
    """One Parquet file as it was written."""

    path: str
    rows: int
    bytes: int
    sha256: str
    sort_key: tuple[str, ...]


@dataclass(frozen=True)
class CorpusRecord:
    """One part of the text: how much of it was used and whether pages may show it."""

    name: str
    licence: str
    documents: int
    tokens: int
    shown: bool


@dataclass(frozen=True)
class Manifest:
    """All of a run's provenance; `content_hash` covers every other field."""

    schema_version: int
    run: str
    title: str
    config: str
    model_id: str
    model_sha256: str
    corpora: tuple[CorpusRecord, ...]
    seeds: dict[str, int]
    library_versions: dict[str, str]
    files: dict[str, FileRecord]
    content_hash: str = ""

    @property
    def short_hash(self) -> str:
        return self.content_hash[:HASH_PREFIX_LENGTH]

    def with_content_hash(self) -> Manifest:
        """The same manifest with the hash filled in."""
        body = {**asdict(self), "content_hash": ""}
        digest = hashlib.sha256(_canonical(body).encode()).hexdigest()
        return Manifest(**{**_shallow(self), "content_hash": digest})

    def to_json(self) -> str:
        return _canonical(asdict(self))


def read_manifest(folder: Path) -> Manifest:
    """Parse and check `folder/manifest.json`; what has the same text is shared, so change nothing.

    Raises:
        RunError: it is missing, damaged, from another schema version, or was edited.
    """
    path = folder / MANIFEST_NAME
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise RunError(f"{path} is missing, so the run is not complete. {_again(folder)}") from None
    except (ValueError, OSError) as error:
        raise RunError(f"{path} cannot be read as JSON ({error}). {_again(folder)}") from error
    return _checked(path, text)


@lru_cache(MOST_REMEMBERED)  # every page lists the runs, and to check one takes several ms
def _checked(path: Path, text: str) -> Manifest:
    folder = path.parent
    again = _again(folder)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read as JSON ({error}). {again}") from error
    version = body.get("schema_version") if isinstance(body, dict) else None
    if version != SCHEMA_VERSION:
        raise RunError(
            f"{path} has schema version {version!r}, this app reads {SCHEMA_VERSION}. "
            f"Make the run again with this version: {_rerun_hint(folder)}"
        )
    try:
        manifest = _parse(body)
    except (TypeError, KeyError, AttributeError) as error:
        raise RunError(f"{path} lacks or misspells a field ({error}). {again}") from error
    if manifest.to_json() != text or manifest.with_content_hash() != manifest:
        raise RunError(f"{path} was changed after it was written (content hash differs). {again}")
    return manifest


def _again(folder: Path) -> str:
    return f"Restore it from a good copy, or make the run again: {_rerun_hint(folder)}"


def _rerun_hint(folder: Path) -> str:
    return f"python -m precompute run precompute/configs/{folder.name}.toml"


def _parse(body: dict[str, Any]) -> Manifest:
    unknown = set(body) - {field.name for field in fields(Manifest)}
    if unknown:
        raise KeyError(f"unknown {sorted(unknown)}")
    files = {
        name: FileRecord(**{**record, "sort_key": tuple(record["sort_key"])})
        for name, record in body["files"].items()
    }
    corpora = tuple(CorpusRecord(**record) for record in body["corpora"])
    return Manifest(**{**body, "files": files, "corpora": corpora})


def _shallow(manifest: Manifest) -> dict[str, Any]:
    return {field.name: getattr(manifest, field.name) for field in fields(manifest)}


def _canonical(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
