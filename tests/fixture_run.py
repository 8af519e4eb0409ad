"""A small planted run: every case that a page or a query must get right, with known answers.

The SAEs and their decompositions are in `tests.planted`; here is the evidence for them. Text holds
what breaks viewers: markup, Markdown, LaTeX, a bidi override, accents, Chinese, and an emoji whose
two byte pieces share one character span.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from backend.manifest import CorpusRecord, Manifest
from backend.schema import SCHEMA_VERSION, TABLES
from precompute.writer import write_manifest, write_table
from tests import experimented, experimented_edits, stitched, trusted
from tests.planted import (
    META,
    SMALL,
    TOKENS_SEEN,
    WIDE,
    Row,
    cofiring_rows,
    component_rows,
    direction_rows,
    fire_count,
    labels,
    latent_rows,
    sae_rows,
)
from tests.planted_terms import term_rows


def build_fixture_run(folder: Path) -> Manifest:
    """Write the whole run into `folder` (made when missing) and return its manifest."""
    contexts = list(_contexts())
    components = list(component_rows())
    tables: dict[str, list[Row]] = {
        "saes": list(sae_rows()),
        "latents": list(latent_rows(components)),
        "components": components,
        "members": components,
        "contexts": contexts,
        "examples": list(_examples(contexts)),
        "terms": list(term_rows()),
        "neighbours": list(_neighbours()),
        "cofiring": list(cofiring_rows()),
        "directions": list(direction_rows()),
        "stitching": list(stitched.stitching_rows()),
        "swap_groups": list(stitched.group_rows()),
        "stitch_curve": list(stitched.curve_rows()),
        "other_decompositions": list(trusted.other_decomposition_rows()),
        "cosine_histograms": list(trusted.histogram_rows()),
        "curves": list(experimented.curve_rows()),
        "edits": list(experimented_edits.edit_rows()),
        "continuations": list(experimented_edits.continuation_rows()),
        "concerned": list(experimented.concerned_rows()),
        "measurements": [
            *_measurements(),
            *stitched.measurement_rows(),
            *trusted.measurement_rows(),
            *experimented.measurement_rows(),
        ],
    }
    # stored to the last bit, so that a test can state a figure worked out by hand as it is;
    # what rounding does to a run is tested where it is done
    with patch("precompute.writer.rounded_column", lambda column, _: column):
        files = {
            name: write_table(folder, name, columns_of(name, rows)) for name, rows in tables.items()
        }
    return write_manifest(
        folder,
        Manifest(
            schema_version=SCHEMA_VERSION,
            run=folder.name,
            title="Planted fixture <b>run</b>",
            config='title = "fixture"\n',
            model_id="planted",
            model_sha256="0" * 64,
            corpora=(CorpusRecord("fixture", "CC0-1.0", len(contexts), TOKENS_SEEN, True),),
            seeds={"sae": 0, "meta": 0},
            library_versions={"pyarrow": "any"},
            files=files,
        ),
    )


def columns_of(name: str, rows: list[Row]) -> dict[str, list[Any]]:
    """Rows of a table as its columns, in the contract's order."""
    return {column.name: [row[column.name] for row in rows] for column in TABLES[name].columns}


def _contexts() -> Iterator[Row]:
    texts = [
        text
        for word in labels()
        for text in (f"We met {word or 'nobody'} there.", f"In 1905 {word or 'none'} was young.")
    ]
    texts += [
        "Röntgen naïvely visited 東京 with 🙂 and left.",
        "<img src=x onerror=alert(1)> &amp;",
    ]
    for context_id, text in enumerate(texts):
        spans = [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]
        # byte-level tokenizers cut an emoji into pieces which all map to its one character
        spans = [span for span in spans for _ in range(2 if text[span[0]] == "🙂" else 1)]
        yield {
            "context_id": context_id,
            "source": "fixture",
            "title": f"Title <i>{context_id}</i>",
            "text": text,
            "token_starts": [start for start, _ in spans],
            "token_ends": [end for _, end in spans],
        }


def _examples(contexts: list[Row]) -> Iterator[Row]:
    groups = (("top", 2.0), ("interval 1", 1.8), ("interval 2", 1.0), ("interval 3", 0.4))
    for sae_id, n_latents in ((SMALL, 8), (WIDE, 32)):
        for latent in range(n_latents):
            if fire_count(sae_id, latent) == 0:
                continue
            for group, strongest in (*groups, ("random", 1.2)):
                for rank in range(3 if group == "top" else 1):
                    # the two sentences about the label, then the multi-byte one
                    context_id = 2 * latent + rank if rank < 2 else len(contexts) - 2
                    activation = strongest - 0.1 * rank
                    yield {
                        "sae_id": sae_id,
                        "latent": latent,
                        "group": group,
                        "rank": rank,
                        "context_id": context_id,
                        "position": 2,
                        "activation": activation,
                        "positions": [0, 2],
                        "activations": [activation / 2, activation],
                    }


def _neighbours() -> Iterator[Row]:
    sizes = {SMALL: 8, WIDE: 32, META: 4}
    for sae_id, n_latents in sizes.items():
        for latent in range(n_latents):
            for other_sae_id, n_others in sizes.items():
                start = latent + 1 if other_sae_id == sae_id else latent
                for rank in range(3):
                    yield {
                        "sae_id": sae_id,
                        "latent": latent,
                        "other_sae_id": other_sae_id,
                        "rank": rank,
                        "other_latent": (start + rank) % n_others,
                        "cosine": 0.9 - 0.2 * rank,
                    }


def _measurements() -> Iterator[Row]:
    for experiment, subject, setting, value in (
        ("meta_sae", META, "all rows", 0.52),
        ("meta_sae", META, "gaussian null", 0.11),
        ("sae", WIDE, "heldout", 0.75),
    ):
        yield {
            "experiment": experiment,
            "subject": subject,
            "setting": setting,
            "metric": "variance_explained",
            "value": value,
            "ci_low": value - 0.01,
            "ci_high": value + 0.01,
            "n": 32,
        }
