"""From the address of a download to its bytes, in the thread that the route gives it.

An address is `download/<file>?run=...`: a list of rows as `<name>.<format>`, `decomposition.<md,
bib, svg or json>`, `table/<name>.parquet`, `manifest.json`, `schema.json`, or `notebook.ipynb`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from backend import notebook, queries
from backend.citation import bibtex, markdown
from backend.decomposition_svg import decomposition_svg
from backend.downloads.asked import (
    DECOMPOSED_SAE,
    INDEX,
    Asked,
    DownloadError,
    checked,
    quoted,
)
from backend.downloads.decomposition import as_json, quoted_decomposition
from backend.downloads.formats import FORMATS, MEDIA_TYPES, written
from backend.downloads.of_latents import OF_LATENTS
from backend.downloads.of_relatives import OF_RELATIVES
from backend.downloads.of_runs import OF_RUNS
from backend.links import DOWNLOAD_PATH
from backend.listing import data_dir, list_runs
from backend.manifest import RunError
from backend.opener import opened_run
from backend.schema import MANIFEST_NAME, TABLES
from backend.store import Run

LISTS = {download.name: download for download in (*OF_RUNS, *OF_LATENTS, *OF_RELATIVES)}
DOCUMENTS = {
    "md": "text/markdown; charset=utf-8",
    "bib": "application/x-bibtex; charset=utf-8",
    "svg": "image/svg+xml",
    "json": MEDIA_TYPES["json"],
}
LONGEST_NAME = 120  # characters of a file's name


@dataclass(frozen=True)
class Answer:
    """A file to send: `body` when it was made now, else the file at `path`.

    `etag` is that of HTTP with its quotes: strong for files, weak for what may be compressed.
    """

    media_type: str
    name: str
    etag: str
    body: bytes = b""
    path: Path | None = None


def answer(file: str, given: Mapping[str, str], address: str, today: date) -> Answer:
    """What to send for `download/<file>?<given>`.

    Args:
        file: e.g. `components.csv` or `table/saes.parquet`.
        given: parameters as they were typed.
        address: of the app, with a slash at its end, for links in what is sent; "" when unknown.
        today: day of access, for citations.

    Raises:
        DownloadError: there is no such file, or the run has no such thing.
    """
    run = _opened(given)
    name, _, form = file.rpartition(".")
    if name == "decomposition" and form in DOCUMENTS:
        return _decomposition(run, form, given, address, today)
    if name in LISTS and form in FORMATS:
        return _list(run, name, form, given)
    if name.startswith("table/") and form == "parquet":
        return _table(run, name.removeprefix("table/"), given)
    if file == MANIFEST_NAME:
        checked(run, (), given)
        etag = f'"{run.manifest.content_hash}"'
        name = _file_name(run, MANIFEST_NAME)
        return Answer(MEDIA_TYPES["json"], name, etag, path=run.folder / MANIFEST_NAME)
    if file == "schema.json":
        checked(run, (), given)
        return _made(run, MEDIA_TYPES["json"], "schema.json", _json(_schema(run)))
    if file == "notebook.ipynb":
        checked(run, (), given)
        body = _json(notebook.as_ipynb(notebook.snippets(run, address)))
        return _made(run, "application/x-ipynb+json", "notebook.ipynb", body)
    raise DownloadError(f"There is no download {quoted(file)}.\n\n{overview()}")


def overview() -> str:
    """Everything that can be downloaded, as plain text for a reader with `curl`."""
    lines = [f"Addresses below {DOWNLOAD_PATH}/; all take run=... (the largest run without it)."]
    for download in LISTS.values():
        lines += ["", download.pattern, f"    {download.meaning}"]
        for p in download.parameters:
            choices = f": {', '.join(p.choices)}" if p.choices else ""
            lines.append(f"    {p.name}: {p.meaning}{choices}")
    decomposition = f"decomposition.{{{'|'.join(DOCUMENTS)}}}?sae=...&latent=..."
    lines += ["", decomposition, "    one decomposition to quote, to cite, or as a figure"]
    lines += ["", "table/<name>.parquet", f"    a whole table: {', '.join(TABLES)}"]
    lines += ["", f"{MANIFEST_NAME}, schema.json, notebook.ipynb"]
    lines += ["    where the run comes from, what its columns mean, queries to start from", ""]
    return "\n".join(lines)


def _opened(given: Mapping[str, str]) -> Run:
    runs = {found.name: found for found in list_runs(data_dir())}
    wanted = given.get("run", "")
    found = runs.get(wanted) if wanted else next(iter(runs.values()), None)
    if found is None:
        raise DownloadError(
            f"There is no run {quoted(wanted)}. Possible: {', '.join(runs) or 'none'}."
        )
    if given.get("h") and given["h"] != found.short_hash:
        raise DownloadError(
            f"This address was made for version {quoted(given['h'])} of the run; the one here is "
            f"{found.short_hash}. Leave out h=... to take that."
        )
    try:
        return opened_run(found.path, found.short_hash)
    except RunError as error:
        raise DownloadError(str(error), 503) from error


def _list(run: Run, name: str, form: str, given: Mapping[str, str]) -> Answer:
    download = LISTS[name]
    asked = checked(run, download.parameters, given)
    body = written(form, download.rows(run, asked), download.columns, _about(run, name, asked))
    return _made(run, MEDIA_TYPES[form], f"{name}.{form}", body, asked)


def _decomposition(
    run: Run, form: str, given: Mapping[str, str], address: str, today: date
) -> Answer:
    asked = checked(run, (DECOMPOSED_SAE, INDEX), given)
    found = quoted_decomposition(run, asked["sae"], asked["latent"], address)
    if form == "md":
        text = markdown(found, today, queries.examples(run, asked["sae"], asked["latent"]))
    elif form == "bib":
        text = bibtex(found, today)
    elif form == "svg":
        text = decomposition_svg(found)
    else:
        text = _json({**_about(run, "decomposition", asked), **as_json(found)}).decode()
    return _made(run, DOCUMENTS[form], f"decomposition.{form}", text.encode(), asked)


def _table(run: Run, name: str, given: Mapping[str, str]) -> Answer:
    checked(run, (), given)
    record = run.manifest.files.get(name)
    if record is None:
        raise DownloadError(
            f"There is no table {quoted(name)}. Possible: {', '.join(run.manifest.files)}."
        )
    # the run was verified when it was opened, so the recorded hash is that of the file
    return Answer(
        MEDIA_TYPES["parquet"],
        _file_name(run, f"{name}.parquet"),
        f'"{record.sha256}"',
        path=run.folder / record.path,
    )


def _schema(run: Run) -> dict[str, Any]:
    manifest = run.manifest
    return {
        **_about(run, "schema", {}),
        "schema_version": manifest.schema_version,
        "tables": [
            {
                "name": table.name,
                "meaning": table.meaning,
                "key": list(table.key),
                "sort_key": list(table.sort_key),
                "rows": manifest.files[table.name].rows,
                "bytes": manifest.files[table.name].bytes,
                "sha256": manifest.files[table.name].sha256,
                "columns": [
                    {"name": c.name, "type": str(c.type), "meaning": c.meaning,
                     "nullable": c.nullable}
                    for c in table.columns
                ],
            }
            for table in TABLES.values()
        ],
    }  # fmt: skip


def _about(run: Run, name: str, asked: Asked) -> dict[str, Any]:
    """What a file says about itself."""
    return {
        "run": run.name,
        "content_hash": run.manifest.content_hash,
        "download": name,
        "asked": dict(asked),
    }


def _json(body: dict[str, Any]) -> bytes:
    return (json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _made(run: Run, media_type: str, end: str, body: bytes, asked: Asked | None = None) -> Answer:
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Answer(media_type, _file_name(run, end, asked or {}), etag, body)


def _file_name(run: Run, end: str, asked: Asked | None = None) -> str:
    """A name that every system takes: ASCII, without spaces; asked-for values in it."""
    front = "-".join(map(str, (run.name, *(asked or {}).values())))
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "_", front)[: LONGEST_NAME - len(end)]
    return f"{cleaned}-{end}".lstrip(".-")
