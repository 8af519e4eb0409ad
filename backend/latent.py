"""One latent or meta-latent as the pages use it: the row of `latents`, typed."""

from __future__ import annotations

from dataclasses import dataclass

DENSE_DENSITY = 0.1  # fires on every tenth token or more often: no word is that common but a few


@dataclass(frozen=True)
class TermScore:
    """A word that a latent fires on; score is F1, count the firings on it."""

    term: str
    score: float
    precision: float
    recall: float
    count: int


@dataclass(frozen=True)
class TokenLogit:
    """A token that a latent's direction points to or away from."""

    token: str
    logit: float


@dataclass(frozen=True)
class Latent:
    """A row of `latents`; for the columns' meaning and unit see `backend.schema.LATENTS`."""

    sae_id: str
    latent: int
    label: str
    label_source: str
    label_kind: str
    label_score: float | None
    label_accuracy: float | None
    label_auc: float | None
    label_tests: int
    count: int
    tokens_seen: int
    mean_activation: float
    max_activation: float
    histogram_edges: tuple[float, ...]
    histogram_counts: tuple[int, ...]
    top_terms: tuple[TermScore, ...]
    promoted: tuple[TokenLogit, ...]
    suppressed: tuple[TokenLogit, ...]
    x: float | None
    y: float | None
    n_components: int | None
    decomposition_cosine: float | None
    decomposition_variance_explained: float | None
    bias_share: float | None
    residual_share: float | None
    head_shares: tuple[float, ...]
    """Of the decoder row's square, for each attention head; empty but for `hook_z`."""

    @property
    def density(self) -> float:
        """Share of the tokens (meta: decoder rows) that it fires on; 0 when none were seen."""
        return self.count / self.tokens_seen if self.tokens_seen else 0.0

    @property
    def is_dead(self) -> bool:
        return self.count == 0

    @property
    def is_dense(self) -> bool:
        return self.density >= DENSE_DENSITY

    @property
    def has_meta_sae(self) -> bool:
        """Whether its SAE was decomposed at all; `n_components` may still be 0."""
        return self.n_components is not None
