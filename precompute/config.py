"""What a run is made from: frozen pydantic models read from TOML, unknown keys refused.

A config holds choices only. Anything that follows from them (the meta-SAE's width, the number of
steps, the names of the SAEs) is a property here and is never typed.
"""

from __future__ import annotations

import tomllib
from itertools import combinations, pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from precompute.names.section import NamesConfig
from precompute.sections import (
    CorpusConfig,
    EvidenceConfig,
    Frozen,
    LatentConfig,
    MetaSaeConfig,
    ModelConfig,
    PublishedConfig,
    PublishedSae,
    SaeSuiteConfig,
    StitchConfig,
    TrustConfig,
    WordsConfig,
)

__all__ = [
    "ConfigError",
    "CorpusConfig",
    "EvidenceConfig",
    "LatentConfig",
    "MetaSaeConfig",
    "ModelConfig",
    "NamesConfig",
    "PublishedConfig",
    "PublishedSae",
    "RunConfig",
    "SaeSuiteConfig",
    "StitchConfig",
    "TrustConfig",
    "WordsConfig",
    "load_config",
]


class ConfigError(Exception):
    """A config cannot be used: the message names the file, the key and the way out."""


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
    evidence: EvidenceConfig = EvidenceConfig()
    names: NamesConfig = NamesConfig()
    stitching: StitchConfig = StitchConfig()
    words: WordsConfig | None = None
    """None: no dictionary of words."""
    trust: TrustConfig | None = None
    """None: no controls, their tables stay empty."""

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
        for small, large in self.stitching.other_pairs:
            if not (small in self.widths and large in self.widths and small < large):
                raise ValueError(
                    f"stitching.other_pairs: [{small}, {large}] is not a smaller and a larger of "
                    f"the widths {', '.join(map(str, self.widths))}"
                )
        if self.words is not None:
            if self.saes is None:
                raise ValueError("[words] is trained as [saes] are: give those, or leave it out")
            if self.words_meta_width <= self.meta.k or self.words.count <= self.saes.k:
                raise ValueError(f"words.count = {self.words.count} is too small to decompose")
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
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Ids of every smaller and larger SAE: dMSE is measured for all of them."""
        return tuple(combinations(self.sae_ids, 2))

    @property
    def curve_pairs(self) -> tuple[tuple[str, str], ...]:
        """Neighbouring sizes, and the further pairs that the config names."""
        others = ((f"sae-{small}", f"sae-{large}") for small, large in self.stitching.other_pairs)
        return tuple(dict.fromkeys((*pairwise(self.sae_ids), *others)))

    @property
    def decomposed_width(self) -> int:
        if self.published is not None and self.published.decomposed is not None:
            return next(s.width for s in self.published.saes if s.id == self.published.decomposed)
        return self.widths[-1]

    @property
    def decomposed_sae_id(self) -> str:
        return f"sae-{self.decomposed_width}"

    @property
    def smaller_sae_ids(self) -> tuple[str, ...]:
        """The SAEs narrower than the decomposed one, narrow to wide."""
        return tuple(f"sae-{width}" for width in self.widths if width < self.decomposed_width)

    @property
    def meta_width(self) -> int:
        return round(self.decomposed_width / self.meta.rows_per_meta_latent)

    @property
    def words_id(self) -> str | None:
        """Id of the SAE of words, if the run has one."""
        return None if self.words is None else f"words-{self.words.count}"

    @property
    def described_ids(self) -> tuple[str, ...]:
        """Every SAE with latents of its own to show: the suite, then the words."""
        return self.sae_ids if self.words_id is None else (*self.sae_ids, self.words_id)

    @property
    def words_meta_width(self) -> int:
        count = 0 if self.words is None else self.words.count
        return round(count / self.meta.rows_per_meta_latent)

    @property
    def meta_widths(self) -> dict[str, int]:
        """Number of meta-latents for each SAE that is decomposed."""
        widths = {self.decomposed_sae_id: self.meta_width}
        return widths if self.words_id is None else widths | {self.words_id: self.words_meta_width}

    @property
    def meta_ids(self) -> dict[str, str]:
        """Id of the meta-SAE of each SAE that is decomposed."""
        ids = {self.decomposed_sae_id: self.meta_sae_id}
        words_meta = f"meta-words-{self.words_meta_width}"
        return ids if self.words_id is None else ids | {self.words_id: words_meta}

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
