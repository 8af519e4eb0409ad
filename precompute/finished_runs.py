"""`check`, `list` and `cache`: commands on finished runs, on this machine or at a host."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from backend.kept_model import MODEL_FOLDER
from backend.listing import Places, list_notes, list_runs, places, write_runs_list
from backend.manifest import Manifest, RunError
from backend.remote import size_and_hash
from backend.remote_address import Address, as_address
from backend.remote_cache import cache_dir, cache_size, clear, is_cached
from backend.remote_model import fetch_model
from backend.remote_runs import fetch, remote_run, told_of
from backend.verify import verify_run
from precompute.config import ConfigError
from precompute.run_model import check_model

log = logging.getLogger("precompute")


def add_finished_run_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """`check`, `list` and `cache` for the parser of `python -m precompute`."""
    check = commands.add_parser("check", help="verify every byte of a run")
    check.add_argument(
        "run", type=_run, help="folder of a run, e.g. data/minilm or s3://bucket/runs/minilm"
    )
    check.set_defaults(command=_check)
    listing = commands.add_parser("list", help="show the runs of a folder")
    listing.add_argument(
        "--out",
        dest="where",
        type=places,
        default=places("data"),
        help="folder of runs (data), or its address; more than one with commas between them",
    )
    listing.add_argument(
        "--write", action="store_true", help="write runs.json, which a web server needs, there"
    )
    listing.set_defaults(command=_list)
    cache = commands.add_parser("cache", help="show what is kept of runs at a host")
    cache.add_argument("--clear", action="store_true", help="remove it")
    cache.set_defaults(command=_cache)


def _run(text: str) -> Path | Address:
    return as_address(text) or Path(text)


def _check(options: argparse.Namespace) -> None:
    is_here = isinstance(options.run, Path)
    manifest = verify_run(options.run) if is_here else _checked_at_host(options.run)
    if is_here and (options.run / MODEL_FOLDER).exists():
        check_model(options.run / MODEL_FOLDER)
    log.info(
        "%s is intact: %d tables, %d rows, content hash %s",
        options.run,
        len(manifest.files),
        sum(record.rows for record in manifest.files.values()),
        manifest.short_hash,
    )


def _checked_at_host(address: Address) -> Manifest:
    """Read every byte at the host, also of files that the cache has, and all rows from the cache.

    Raises:
        RunError: something is missing, damaged or not of the contract.
    """
    run = remote_run(address)
    log.info("reading %s (%.0f MB)", address, run.bytes / 1e6)
    for record in run.manifest.files.values():
        source = run.address / record.path
        if is_cached(record) and size_and_hash(source) != (record.bytes, record.sha256):
            raise RunError(
                f"{source} is not what its manifest says. Copy the run there again from a good "
                "copy, the manifest last."
            )
    folder = fetch(run)
    fetch_model(run)
    with told_of(run):
        return verify_run(folder)


def _list(options: argparse.Namespace) -> None:
    where: Places = options.where
    if options.write:
        for folder in where.places:
            if isinstance(folder, Address):
                raise ConfigError(f"--write needs a folder of this machine, which {folder} is not.")
            log.info("%s is written", write_runs_list(folder))
    runs, notes = list_runs(where), list_notes(where)
    if notes and not runs:
        raise RunError(" ".join(notes))
    for note in notes:
        log.warning("%s", note)
    if not runs:
        log.info(
            "no run in %s. Make one: python -m precompute run precompute/configs/tiny.toml", where
        )
    for found in runs:
        log.info("%s", found)


def _cache(options: argparse.Namespace) -> None:
    n_files, n_bytes = cache_size()
    log.info("%s holds %d files, %.1f MB", cache_dir(), n_files, n_bytes / 1e6)
    if options.clear:
        clear()
        log.info("all of them are removed")
