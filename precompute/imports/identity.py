"""Is a foreign set of latents about the same SAE? Checked as files are read, and again at the end.

Whatever differs ends the import at once. What agrees is written down; some of it shows that the
weights are the same (`PROOFS`), the rest is true of any SAE of that width at that place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from precompute.config import ConfigError
from precompute.imports.model_names import is_same_model
from precompute.imports.places import Place, place_of, width_of

VECTORS, SOURCE, TOKENS, PARTS = "decoder rows", "source", "tokens", "decomposition"
PROOFS = (VECTORS, SOURCE, TOKENS, PARTS)
MODEL, PLACE, WIDTH = "model", "place", "width"
LEAST_COSINE = 0.99  # 8-bit rows of a run have 0.999 or more with the rows they were made from
MOST_BELOW = 0.1  # share of rows that may have less


@dataclass
class Identity:
    """The SAE of a run that files are compared with, and what was found to agree so far."""

    run: Path
    sae: dict[str, Any]
    """Its row of `saes`."""
    content_hash: str
    """Of the run."""
    asked_model: str | None = None
    asked_source: str | None = None
    """What the user says that the files are about; it chooses among several sets in them."""
    agreed: dict[str, str] = field(default_factory=dict)
    """Words for each thing that agrees, by what was compared."""

    @property
    def n_latents(self) -> int:
        return self.sae["n_latents"]

    @property
    def sae_id(self) -> str:
        return self.sae["sae_id"]

    @property
    def proofs(self) -> list[str]:
        """What of that which agrees shows that the weights are the same."""
        return [words for name, words in self.agreed.items() if name in PROOFS]

    def refuse(self, where: str, words: str) -> ConfigError:
        """The error for something that differs."""
        return ConfigError(
            f"{where}: {words}. Nothing was imported. Is {self.sae_id} the SAE that the files are "
            f"about? Name another with --sae"
        )

    def check_index(self, latent: int, where: str) -> None:
        """Raises ConfigError when the SAE has no such latent."""
        if latent >= self.n_latents:
            raise self.refuse(
                where, f"latent {latent}, but {self.sae_id} has {self.n_latents:,} latents"
            )

    def check_width(self, width: int, where: str, is_exact: bool) -> None:
        """Raises ConfigError when the files say that there are more latents, or not as many."""
        if width > self.n_latents or (is_exact and width != self.n_latents):
            raise self.refuse(
                where, f"it has {width:,} latents, but {self.sae_id} has {self.n_latents:,}"
            )
        if width == self.n_latents:
            self.agreed[WIDTH] = f"both have {width:,} latents"

    def check_model(self, model: str, where: str) -> None:
        """Raises ConfigError when the files are about another language model."""
        own = self.sae["model_id"]
        if not is_same_model(model, own):
            raise self.refuse(where, f"it is about the model {model}, but the run is about {own}")
        self.agreed[MODEL] = f"the model {model}" + _also(model, own)

    def check_place(self, place: Place | None, name: str, where: str) -> None:
        """Raises ConfigError when the files are about another layer or kind of activation."""
        own = place_of(self.sae["hook_name"])
        if place is None or own is None:
            return
        if not place.may_be(own):
            raise self.refuse(where, f"{name} is another place than {self.sae['hook_name']}")
        self.agreed[PLACE] = f"the place {name}" + _also(name, self.sae["hook_name"])

    def check_source(self, model: str, source: str, where: str) -> None:
        """A Neuronpedia source: its id against the run's where it has one, else its place and name.

        Raises:
            ConfigError: as the name says, it is another SAE.
        """
        known = self.sae["neuronpedia_id"]
        if known:
            own_model, _, own_source = known.partition("/")
            if source.lower() != own_source.lower() or not is_same_model(model, own_model):
                raise self.refuse(where, f"it is about {model}/{source}, but the run has {known}")
            self.agreed[SOURCE] = f"the source {model}/{source}"
        self.check_place(place_of(source), source, where)
        width = width_of(source)
        if width is not None:
            self.check_width(width, f"{where}, {source}", is_exact=True)

    def check_asked(self) -> None:
        """The model and source that the user names, for files that name none: they prove nothing.

        Raises:
            ConfigError: the run's SAE is another one.
        """
        if self.asked_model is not None:
            self.check_model(self.asked_model, "--model")
        if self.asked_source is not None and self.sae["kind"] != "meta":
            model = self.asked_model or self.sae["model_id"]
            self.check_source(model, self.asked_source, "--source")
            self.agreed.pop(SOURCE, None)

    def check_release(self, release: object, sae: object) -> None:
        """A release and an SAE of it, as sae-lens names them; only agreement says something."""
        own = (self.sae["release"], self.sae["release_sae_id"])
        if all(own) and own == (release, sae):
            self.agreed[SOURCE] = f"the release {release}, SAE {sae}"

    def check_export(self, mark: object) -> bool:
        """Whether files are an export of this very SAE, as the mark that our exports carry says."""
        own = {"content_hash": self.content_hash, "sae_id": self.sae_id}
        is_own = isinstance(mark, dict) and own == {name: mark.get(name) for name in own}
        if is_own:
            self.agreed[SOURCE] = "an export of this run"
        return is_own

    def check_vectors(self, vectors: dict[int, np.ndarray], where: str) -> None:
        """Decoder rows of the files against those of the run: their directions, not lengths.

        Raises:
            ConfigError: they have another dimension, or too many cosines are low.
        """
        own = _decoder_rows(self.run, self.sae_id, sorted(vectors))
        cosines = []
        for latent, vector in vectors.items():
            if len(vector) != self.sae["d_in"]:
                raise self.refuse(
                    where,
                    f"decoder rows of {len(vector)} numbers, but {self.sae_id} reads "
                    f"{self.sae['d_in']}",
                )
            lengths = np.linalg.norm(vector) * np.linalg.norm(own.get(latent, 0.0))
            if lengths > 0:
                cosines.append(float(vector @ own[latent] / lengths))
        if not cosines:
            return
        median = float(np.median(cosines))
        n_below = sum(cosine < LEAST_COSINE for cosine in cosines)
        if n_below > MOST_BELOW * len(cosines):
            raise self.refuse(
                where,
                f"its decoder rows are not those of {self.sae_id}: {n_below} of {len(cosines)} "
                f"have a cosine below {LEAST_COSINE}, the median is {median:.3f}",
            )
        self.agreed[VECTORS] = f"{len(cosines)} decoder rows, median cosine {median:.4f}"


def _also(name: str, own: str) -> str:
    return "" if name == own else f", here {own}"


def _decoder_rows(run: Path, sae_id: str, latents: list[int]) -> dict[int, np.ndarray]:
    """Decoder rows of some latents, float32 [d_in]; none when the run does not keep them."""
    if not latents:
        return {}
    found = pq.read_table(
        run / "directions.parquet",
        columns=["latent", "decoder", "decoder_scale"],
        filters=[("sae_id", "=", sae_id), ("latent", "in", latents)],
    ).to_pylist()
    return {
        row["latent"]: np.frombuffer(row["decoder"], np.int8).astype(np.float32)
        * row["decoder_scale"]
        for row in found
    }
