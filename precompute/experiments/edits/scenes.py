"""Every prompt before any edit: its activations, the entity's latent in it, and the SAE's error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from precompute.dictionary import Dictionary
from precompute.experiments.edits.interview import Interviewer
from precompute.experiments.edits.questions import Prompt

PROMPTS_AT_ONCE = 128
LEAST_SHARE = 0.5
"""Of an entity's prompts that its latent is active in. Where only three cities are compared, as in
the study, the quotient is enough; among hundreds it finds latents that are hardly ever active."""


@dataclass(frozen=True)
class EntityLatents:
    """The latent that stands for each entity of a table; all [n_entities]."""

    latent: np.ndarray
    """int64"""
    mean: np.ndarray
    """float32: its mean activation where it is active; 0 if it never is."""


@dataclass(frozen=True, eq=False)
class Scene:
    """One prompt; rows are its tokens, and edits change those within their reach only."""

    prompt: Prompt
    x: torch.Tensor
    """float32 [n_tokens, d_in]"""
    is_reached: torch.Tensor
    """bool [n_tokens]"""
    own: torch.Tensor
    """float32 [n_tokens]: activation of the entity's latent within reach, 0 elsewhere."""
    error: torch.Tensor
    """float32 [n_tokens, d_in]: x minus its reconstruction within reach, 0 elsewhere."""


class Scenes:
    """The prompts of one table.

    Args:
        only_entity: whether edits reach the tokens of the entity alone, not those behind it.
    """

    def __init__(self, interviewer: Interviewer, sae: Dictionary, only_entity: bool) -> None:
        self.table, self.sae = interviewer.table, sae
        prompts = list(self.table.prompts.values())
        rows, is_right = interviewer.untouched(prompts)
        self._rows = dict(zip(self.table.prompts, rows, strict=True))
        self._reached = {
            key: torch.from_numpy(reached_tokens(prompt, only_entity)).to(sae.W_dec.device)
            for key, prompt in self.table.prompts.items()
        }
        self._made: dict[tuple[int, int, int], Scene] = {}
        self.is_right = np.zeros((*self.table.answers.shape, 2), bool)
        """bool [n_entities, n_attributes, 2]: whether the untouched model knows, by wording."""
        for key, right in zip(self.table.prompts, is_right, strict=True):
            self.is_right[key] = right
        self.latents = entity_latents(
            sae,
            [self._rows[key][self._reached[key]] for key in self.table.prompts],
            [prompt.entity for prompt in prompts],
            len(self.table.entities),
        )

    def at(self, entity: int, attribute: int, wording: int) -> Scene:
        """One of them."""
        key = (entity, attribute, wording)
        if key not in self._made:
            self._made[key] = self._scene(key)
        return self._made[key]

    def entity_means(self) -> torch.Tensor:
        """float32 [n_entities, d_in]: means over an entity's prompts, at the last token in reach.

        The other tokens in reach come before it: what they know of the entity, it can know too.
        """
        sums = torch.zeros(len(self.table.entities), self.sae.W_dec.shape[1])
        counts = torch.zeros(len(sums), 1)
        for key, rows in self._rows.items():
            sums[key[0]] += rows[self._reached[key]][-1].cpu()
            counts[key[0]] += 1
        return sums / counts.clamp_min(1)

    def _scene(self, key: tuple[int, int, int]) -> Scene:
        prompt, x, is_reached = self.table.prompts[key], self._rows[key], self._reached[key]
        acts = self.sae.encode(x)
        own = acts[:, self.latents.latent[prompt.entity]] * is_reached
        error = (x - self.sae.decode(acts)) * is_reached[:, None]
        return Scene(prompt, x, is_reached, own, error)


def reached_tokens(prompt: Prompt, only_entity: bool) -> np.ndarray:
    """bool [n_tokens]: those of the entity, or from its last one on.

    Tokens before the entity know nothing of it in a causal model, so the latter is the published
    "every token but the first". Edits of the entity's own tokens miss what the model has already
    carried on from there.
    """
    if only_entity:
        return prompt.is_entity
    return np.arange(len(prompt.ids)) >= prompt.last


def entity_latents(
    sae: Dictionary, rows: Sequence[torch.Tensor], entity: Sequence[int], n_entities: int
) -> EntityLatents:
    """Each entity's latent, from the activations within reach of every prompt.

    An entity's activation of a latent, added up over its prompts, is divided by that of all
    entities together plus 1. The highest quotient wins, among latents that are active in at least
    `LEAST_SHARE` of the entity's prompts, or in as many as any is (science 1.6, without the share).

    Args:
        rows: [n_tokens, d_in] of each prompt.
        entity: of each prompt.
    """
    device = sae.W_dec.device
    sums, tokens, prompts = (torch.zeros(n_entities, sae.n_latents, device=device) for _ in "123")
    whose = torch.tensor(list(entity), dtype=torch.int64, device=device)
    for start in range(0, len(rows), PROMPTS_AT_ONCE):
        some = rows[start : start + PROMPTS_AT_ONCE]
        lengths = torch.tensor([len(own) for own in some], device=device)
        number = torch.arange(len(some), device=device).repeat_interleave(lengths)
        acts = sae.encode(torch.cat(list(some)))
        fired = torch.zeros(len(some), sae.n_latents, device=device)
        fired.index_add_(0, number, (acts > 0).float())
        own = whose[start : start + PROMPTS_AT_ONCE]
        sums.index_add_(0, own[number], acts)
        tokens.index_add_(0, own, fired)
        prompts.index_add_(0, own, (fired > 0).float())
    share = prompts / torch.bincount(whose, minlength=n_entities).clamp_min(1)[:, None]
    enough = share.max(1, keepdim=True).values.clamp_max(LEAST_SHARE)
    quotient = (sums / (sums.sum(0) + 1)).masked_fill(share < enough, -1)
    latent = quotient.argmax(1)
    numbers = torch.arange(n_entities, device=device)
    mean = sums[numbers, latent] / tokens[numbers, latent].clamp_min(1)
    return EntityLatents(latent.cpu().numpy(), mean.cpu().numpy())
