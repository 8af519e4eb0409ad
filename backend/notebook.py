"""Example queries that run as they are: pasted into a notebook, or taken as a whole `.ipynb`.

The pieces build on each other. Names from the run stand in them as Python literals, never inside
SQL, so no label or id can change what a query does; `tests/backend/test_notebook.py` runs each one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from backend import queries, stitching
from backend.links import DOWNLOAD_PATH
from backend.records import Record
from backend.store import Run

NEEDED = ("saes", "latents", "components", "members", "stitching", "directions")
NBFORMAT = (4, 5)


@dataclass(frozen=True)
class Snippet:
    """One cell: what it is for, and Python whose last line is the answer."""

    title: str
    meaning: str
    code: str


def snippets(run: Run, address: str) -> list[Snippet]:
    """The cells for this run; those about parts only when it has a decomposition.

    Args:
        run: an open run.
        address: of the app as the reader wrote it, with a slash at its end; "" when unknown, then
            the first cell reads a folder only.
    """
    made = [_files(run, address)]
    subject = _subject(run)
    if subject is not None:
        made += _about_parts(subject)
    pairs = [pair for pair in stitching.pairs(run) if stitching.counts(run, *_ids(pair))["novel"]]
    if pairs:
        made.append(_novel(*_ids(pairs[-1])))
    if subject is not None:
        made.append(_directions())
    return made


def as_ipynb(cells: list[Snippet]) -> dict[str, Any]:
    """The same as a notebook file, format 4.5: a heading and a code cell for each."""
    made: list[dict[str, Any]] = []
    for place, cell in enumerate(cells):
        text = f"## {cell.title}\n\n{cell.meaning}"
        made.append(
            {"cell_type": "markdown", "id": f"told-{place}", "metadata": {}, "source": text}
        )
        made.append(
            {
                "cell_type": "code",
                "id": f"code-{place}",
                "metadata": {},
                "source": cell.code,
                "outputs": [],
                "execution_count": None,
            }
        )
    return {
        "nbformat": NBFORMAT[0],
        "nbformat_minor": NBFORMAT[1],
        "metadata": {"language_info": {"name": "python"}},
        "cells": made,
    }


def _subject(run: Run) -> Record | None:
    """A decomposition to show: the first of the overview, else any with a component.

    Columns: sae_id, latent, meta_sae_id, parts (its two strongest meta-latents, or the only one).
    """
    shown = queries.featured_decompositions(run, 1)
    found = shown[0] if shown else run.fixed_row(
        """
        select s.parent_sae_id as sae_id, c.latent, c.meta_sae_id from components c
        join saes s on s.sae_id = c.meta_sae_id order by c.meta_sae_id, c.latent limit 1
        """
    )  # fmt: skip
    if found is None:
        return None
    rows = queries.components(run, found["meta_sae_id"], found["latent"])
    kept = {name: found[name] for name in ("sae_id", "latent", "meta_sae_id")}
    return {**kept, "parts": [row["meta_latent"] for row in rows[:2]]}


def _ids(pair: Record) -> tuple[str, str]:
    return pair["small_sae_id"], pair["large_sae_id"]


def _files(run: Run, address: str) -> Snippet:
    head = (
        "# needs: pip install duckdb numpy\n"
        "from pathlib import Path\n"
        + ("from urllib.request import urlretrieve\n" if address else "")
        + "\nimport duckdb\n\n"
        f"folder = Path({run.name!r})  # or where you have the run already\n"
        f"tables = {NEEDED!r}\n"
    )
    if address:
        asked = urlencode({"run": run.name, "h": run.manifest.short_hash})
        body = (
            f"address = {f'{address}{DOWNLOAD_PATH}/table'!r}\n"
            "folder.mkdir(parents=True, exist_ok=True)\n"
            "db = duckdb.connect()\n"
            "for table in tables:\n"
            '    file = folder / f"{table}.parquet"\n'
            "    if not file.exists():\n"
            f'        urlretrieve(f"{{address}}/{{table}}.parquet?{asked}", file)\n'
        )
    else:
        body = (
            'db = duckdb.connect()\nfor table in tables:\n    file = folder / f"{table}.parquet"\n'
        )
    return Snippet(
        "The files",
        "Downloads the tables that the next cells need and opens them; every other table of the "
        "run works the same way.",
        head + body + "    db.read_parquet(str(file)).create_view(table)\n\n"
        'db.sql("""\n'
        "    select sae_id, kind, n_latents, l0, variance_explained\n"
        "    from saes order by kind desc, n_latents\n"
        '""")\n',
    )


def _about_parts(subject: Record) -> list[Snippet]:
    parts = subject["parts"]
    decomposition = Snippet(
        "A decomposition",
        "The meta-latents that a latent is made of: row = bias + sum of activation x direction + "
        "residual.",
        f"sae_id, latent = {subject['sae_id']!r}, {subject['latent']}\n"
        f"meta_sae_id = {subject['meta_sae_id']!r}\n"
        'db.sql("""\n'
        "    select c.meta_latent, m.label, c.activation, c.share, c.cosine, c.stability\n"
        "    from components c\n"
        "    join latents m on m.sae_id = c.meta_sae_id and m.latent = c.meta_latent\n"
        "    where c.meta_sae_id = $meta_sae_id and c.latent = $latent\n"
        "    order by c.activation desc, c.meta_latent\n"
        '""", params={"meta_sae_id": meta_sae_id, "latent": latent})\n',
    )
    both = Snippet(
        "Latents with these parts",
        "All latents that have every one of some meta-latents as a component.",
        f"parts = {parts!r}\n"
        'db.sql("""\n'
        "    select l.latent, l.label, min(m.activation) as weakest\n"
        "    from members m\n"
        "    join latents l on l.sae_id = $sae_id and l.latent = m.latent\n"
        "    where m.meta_sae_id = $meta_sae_id and list_contains($parts, m.meta_latent)\n"
        "    group by l.latent, l.label having count(*) = len($parts)\n"
        "    order by weakest desc, l.latent\n"
        '""", params={"sae_id": sae_id, "meta_sae_id": meta_sae_id, "parts": parts})\n',
    )
    members = Snippet(
        "The members of a meta-latent",
        "Which latents it is a component of, and the words that each of them fires on.",
        f"meta_latent = {parts[0]}\n"
        'db.sql("""\n'
        "    select m.latent, l.label, m.activation,\n"
        "        list_transform(l.top_terms[:5], lambda t: t.term) as terms\n"
        "    from members m\n"
        "    join latents l on l.sae_id = $sae_id and l.latent = m.latent\n"
        "    where m.meta_sae_id = $meta_sae_id and m.meta_latent = $meta_latent\n"
        "    order by m.activation desc, m.latent limit 25\n"
        '""", params={"sae_id": sae_id, "meta_sae_id": meta_sae_id,\n'
        '             "meta_latent": meta_latent})\n',
    )
    return [decomposition, both, members]


def _novel(small: str, large: str) -> Snippet:
    return Snippet(
        "Novel latents",
        "Latents of the larger SAE that lower the error of the smaller one most when added to it.",
        f"small, large = {small!r}, {large!r}\n"
        'db.sql("""\n'
        "    select s.latent, l.label, s.delta_mse, s.ci_high, s.max_cosine\n"
        "    from stitching s\n"
        "    join latents l on l.sae_id = s.large_sae_id and l.latent = s.latent\n"
        "    where s.small_sae_id = $small and s.large_sae_id = $large and s.kind = 'novel'\n"
        "    order by s.delta_mse, s.latent limit 25\n"
        '""", params={"small": small, "large": large})\n',
    )


def _directions() -> Snippet:
    return Snippet(
        "Directions and cosines",
        "Decoder rows are stored as signed bytes with one scale a row; cosines are right to about "
        "0.01. The answer is the latent's nearest meta-latents.",
        "import numpy as np\n\n\n"
        "def directions(of_sae):\n"
        '    rows = db.execute("""\n'
        "        select decoder, decoder_scale from directions\n"
        "        where sae_id = $of_sae order by latent\n"
        '    """, {"of_sae": of_sae}).fetchall()\n'
        "    matrix = np.stack([np.frombuffer(packed, np.int8) * np.float32(scale)\n"
        "                       for packed, scale in rows])\n"
        "    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)\n"
        "    return matrix / np.maximum(lengths, 1e-12)\n\n\n"
        "decoder, meta = directions(sae_id), directions(meta_sae_id)\n"
        "cosines = meta @ decoder[latent]\n"
        "[(int(i), round(float(cosines[i]), 3)) for i in np.argsort(-cosines)[:5]]\n",
    )
