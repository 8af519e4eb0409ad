"""The `[[directions]]` sections of a config."""

from __future__ import annotations

import hashlib
import json
from math import ceil, floor
from typing import Annotated, Literal

from pydantic import Field, field_validator

from precompute.sections import Frozen, MetaSaeConfig

# a name becomes an id in links and a file's name; a letter first, so that a meta-SAE of directions
# (meta-<letter>) never sorts before the run's own (meta-<digit>)
NAME_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
RESERVED = ("sae-", "meta-", "words-")


class FoundDirections(Frozen):
    """What `finding` read in the file; never typed."""

    count: int
    d_in: int
    sha256: str
    """Of the names and the unit rows, so that another file format of the same is the same."""


class DirectionsConfig(Frozen):
    """One matrix of named directions, browsed like an SAE and decomposed by a meta-SAE."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, max_length=40)]
    """Becomes the `sae_id`."""
    path: str
    """`.npz`, `.safetensors` or `.parquet`, as `precompute.named.formats` reads them."""
    decomposed_by: Literal["own", "run"] = "run"
    """`run`: the meta-SAE of the run's decomposed SAE, as it is; `own`: one trained on the rows."""
    firing_share: Annotated[float, Field(gt=0, le=0.1)] = 0.001
    """Share of the tokens, those furthest along it, that a direction fires on."""
    licence: Annotated[str, Field(max_length=200)]
    """Shown on pages, as the licence of a corpus."""
    source: Annotated[str, Field(max_length=200)] = ""
    """Where the directions are from, shown on pages."""
    found: FoundDirections | None = None
    """Filled by `finding.with_found_directions`."""

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name.startswith(RESERVED):
            raise ValueError(f"a name that begins with {', '.join(RESERVED)} is the run's own")
        return name

    @property
    def count(self) -> int:
        """Number of directions; 0 before the file was read."""
        return self.found.count if self.found else 0

    def meta_width(self, meta: MetaSaeConfig, most: int) -> int:
        """Meta-latents of its meta-SAE: of the run's, `most`, or of its own, no more than those.

        Pages take the widest meta-SAE for the one that the run is about.
        """
        own = round(self.count / meta.rows_per_meta_latent)
        return most if self.decomposed_by == "run" else min(most, own)

    def meta_sae_id(self, run_meta_sae_id: str) -> str:
        """Id of the meta-SAE that splits them, as this run shows it."""
        is_own = self.decomposed_by == "own"
        return f"meta-{self.name}" if is_own else f"{run_meta_sae_id}-on-{self.name}"

    @property
    def stamp(self) -> str:
        """SHA-256 of all that files made of these directions depend on, besides their stage's."""
        content = self.found.sha256 if self.found else ""
        text = json.dumps([self.name, self.decomposed_by, self.firing_share, content])
        return hashlib.sha256(text.encode()).hexdigest()


def check_directions(
    sections: tuple[DirectionsConfig, ...], ids: tuple[str, ...], meta: MetaSaeConfig, most: int
) -> None:
    """Refuse sections that do not fit their run.

    Args:
        ids: of all SAEs and meta-SAEs of the run.
        most: meta-latents of the run's meta-SAE.

    Raises:
        ValueError: an id is there twice, or there are too few rows for a meta-SAE of their own.
    """
    repeated = sorted({one for one in ids if ids.count(one) > 1})
    if repeated and sections:
        raise ValueError(f"directions.name: the run would have {', '.join(repeated)} twice")
    for one in sections:
        width = one.meta_width(meta, most)
        if one.found and one.decomposed_by == "own" and width <= meta.k:
            least = ceil((floor(meta.k) + 0.5) * meta.rows_per_meta_latent)
            while round(least / meta.rows_per_meta_latent) <= meta.k:
                least += 1
            raise ValueError(
                f"directions {one.name}: {one.count} rows are too few for a meta-SAE of their own "
                f"(meta.rows_per_meta_latent = {meta.rows_per_meta_latent:g} makes {width} "
                f"meta-latents of them, meta.k = {meta.k:g} needs more); it takes {least:,}, or "
                'decomposed_by = "run"'
            )
