"""Every address that a page links to, inside the app and outside; the only file with "https://".

Addresses inside are relative, so they work below any base path. Each carries the run and the short
content hash of what was seen, so that a page can warn when the run has changed since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

NEURONPEDIA = "https://www.neuronpedia.org"
SVG_NAMESPACE = "http://www.w3.org/2000/svg"

OVERVIEW_PATH = ""
SEARCH_PATH = "search"
ASK_PATH = "ask"
COMPARE_PATH = "compare"
MAP_PATH = "map"
TEXT_PATH = "text"
DATA_PATH = "data"
LATENT_PATH = "latent"
META_PATH = "meta"
STITCHING_PATH = "stitching"
SPLITTING_PATH = "splitting"
TRUST_PATH = "trust"
EXPERIMENTS_PATH = "experiments"
ERRORS_PATH = "errors"
PURSUIT_PATH = "pursuit"
EDITS_PATH = "edits"
STEERING_PATH = "steering"
ABSORPTION_PATH = "absorption"
RESISTANCE_PATH = "resistance"
DOWNLOAD_PATH = "download"

COMPARED = ("a", "b", "c", "d")  # parameters of the latents that are compared


@dataclass(frozen=True)
class Link:
    """A page of the app and the query parameters that say what it shows."""

    path: str
    params: dict[str, str] = field(default_factory=dict)

    @property
    def href(self) -> str:
        """Relative address for an `<a href>`; HTML-escape it like any other attribute."""
        return f"{self.path or './'}?{urlencode(self.params)}" if self.params else self.path or "./"


def overview_link(run: str = "", short_hash: str = "") -> Link:
    """The first page."""
    return Link(OVERVIEW_PATH, _given(run=run, h=short_hash))


def search_link(text: str, sae_id: str = "", run: str = "", short_hash: str = "") -> Link:
    """The hits of a search text, in one SAE or in all."""
    return Link(SEARCH_PATH, _given(run=run, sae=sae_id, q=text, h=short_hash))


def latent_link(
    sae_id: str, latent: int, kind: str = "sae", run: str = "", short_hash: str = ""
) -> Link:
    """The page of a latent, or of a meta-latent when `kind` is `meta`."""
    path = META_PATH if kind == "meta" else LATENT_PATH
    return Link(path, _given(run=run, sae=sae_id, latent=str(latent), h=short_hash))


def meta_link(meta_sae_id: str, meta_latent: int, run: str = "", short_hash: str = "") -> Link:
    """The page of a meta-latent."""
    return latent_link(meta_sae_id, meta_latent, "meta", run, short_hash)


def stitching_link(small: str = "", large: str = "", run: str = "", short_hash: str = "") -> Link:
    """A pair of SAEs of different sizes."""
    return Link(STITCHING_PATH, _given(run=run, small=small, large=large, h=short_hash))


def splitting_link(sae_id: str, latent: int, run: str = "", short_hash: str = "") -> Link:
    """The tree below a latent."""
    return Link(SPLITTING_PATH, _given(run=run, sae=sae_id, latent=str(latent), h=short_hash))


def ask_link(params: dict[str, str], run: str = "", short_hash: str = "") -> Link:
    """A question about parts, or arithmetic with directions; `params` as in `backend.question`."""
    return Link(ASK_PATH, _given(**{"run": run, "h": short_hash, **params}))


def compare_link(latents: Sequence[tuple[str, int]], run: str = "", short_hash: str = "") -> Link:
    """Two to four latents side by side, each as (sae_id, latent)."""
    named = {name: f"{i}/{n}" for name, (i, n) in zip(COMPARED, latents, strict=False)}
    return Link(COMPARE_PATH, _given(run=run, **named, h=short_hash))


def map_link(sae_id: str, colour: str = "", run: str = "", short_hash: str = "") -> Link:
    """All latents of an SAE as points."""
    return Link(MAP_PATH, _given(run=run, sae=sae_id, colour=colour, h=short_hash))


def text_link(text: str = "", sae_id: str = "", run: str = "", short_hash: str = "") -> Link:
    """The latents that fire on a reader's own text."""
    return Link(TEXT_PATH, _given(run=run, sae=sae_id, t=text, h=short_hash))


def data_link(run: str = "", short_hash: str = "") -> Link:
    """The tables of a run, to download and to query."""
    return Link(DATA_PATH, _given(run=run, h=short_hash))


def download_link(file: str, params: dict[str, str]) -> Link:
    """A file to take away, e.g. `components.csv` or `table/saes.parquet`; needs `serve.py`."""
    return Link(f"{DOWNLOAD_PATH}/{file}", _given(**params))


def trust_link(run: str = "", short_hash: str = "") -> Link:
    """Every control of a run beside what it controls."""
    return Link(TRUST_PATH, _given(run=run, h=short_hash))


def experiments_link(run: str = "", short_hash: str = "") -> Link:
    """What the experiments on the model found, one line a family."""
    return Link(EXPERIMENTS_PATH, _given(run=run, h=short_hash))


def experiment_link(
    path: str, sae_id: str = "", run: str = "", short_hash: str = "", **params: str
) -> Link:
    """One family of experiments.

    Args:
        path: one of those below `EXPERIMENTS_PATH`, e.g. `ERRORS_PATH`.
        sae_id: the SAE whose figures are shown first.
        params: what else the page shows, e.g. `concept`; empty ones are left out.
    """
    return Link(path, _given(run=run, sae=sae_id, **params, h=short_hash))


def neuronpedia_url(neuronpedia_id: str | None, latent: int) -> str | None:
    """The same latent on Neuronpedia; None when its SAE is not there.

    Args:
        neuronpedia_id: `model/source`, as in `saes.neuronpedia_id`.
        latent: index of the latent.
    """
    if not neuronpedia_id:
        return None
    return f"{NEURONPEDIA}/{quote(neuronpedia_id)}/{latent}"


def _given(**params: str) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}
