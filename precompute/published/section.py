"""The `[saes]` section of a config that loads SAEs instead of training them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from precompute.sections import Frozen


class PublishedId(Frozen):
    """One SAE of another release than the section's: a suite may lie in several."""

    release: str
    id: str


class PublishedSae(Frozen):
    """One SAE as `finding` found it; never typed."""

    id: str
    width: int
    d_in: int
    architecture: str
    release: str | None = None
    folder: str | None = None
    hook_name: str | None = None
    model_name: str | None = None
    prepend_bos: bool | None = None
    neuronpedia_id: str | None = None
    weights_sha256: str | None = None
    """Of a local folder's weights, so that edited weights never meet old results."""

    @property
    def place(self) -> str:
        """Where it lies, for messages."""
        return self.folder or f"release {self.release}, SAE {self.id}"


class PublishedConfig(Frozen):
    """SAEs of sae-lens releases or of a folder in their layout; only the meta-SAE is trained."""

    release: str | None = None
    """A release of sae-lens, e.g. `gpt2-small-res-jb-feature-splitting`; needs the hub."""
    path: str | None = None
    """A folder with cfg.json and sae_weights.safetensors, or a folder of such folders."""
    ids: tuple[str | PublishedId, ...] = ()
    """SAEs of the release, or folders in `path`; for `path` none means all."""
    decomposed: str | None = None
    """Id of the SAE whose decoder rows the meta-SAE splits; None: the widest."""
    norm_scaling_factor: Annotated[float, Field(gt=0)] | None = None
    """Factor that activations were multiplied by in training, for SAEs on disk that expect it
    (`expected_average_only_in`): sqrt(d_in) / mean norm. The hub's releases bring their own."""
    found: tuple[PublishedSae, ...] = ()
    """Filled by `finding.with_found_saes`, narrow to wide."""

    @model_validator(mode="after")
    def _one_source(self) -> PublishedConfig:
        if (self.release is None) == (self.path is None):
            raise ValueError("give either release, of sae-lens, or path, a folder")
        if self.release is not None and not self.ids:
            raise ValueError("ids: name the SAEs of the release")
        if self.path is not None and not all(isinstance(one, str) for one in self.ids):
            raise ValueError("ids: folders in path are plain names")
        names = [one if isinstance(one, str) else one.id for one in self.ids]
        if len(set(names)) < len(names):
            raise ValueError("ids: an SAE is named twice")
        widths = [sae.width for sae in self.found]
        for width in {width for width in widths if widths.count(width) > 1}:
            same = ", ".join(sae.id for sae in self.found if sae.width == width)
            raise ValueError(
                f"ids: {same} have {width} latents each. Stitching and links tell the SAEs of a "
                "run by their size: make a run for each"
            )
        if self.found and self.decomposed not in {None, *(sae.id for sae in self.found)}:
            has = ", ".join(sae.id for sae in self.found)
            raise ValueError(f"decomposed = {self.decomposed!r} is not one of {has}")
        return self
