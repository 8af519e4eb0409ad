"""One table of facts in one SAE: edits are tried here and what was answered is gathered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from precompute.dictionary import Dictionary
from precompute.experiments.bench import Bench
from precompute.experiments.edits.interview import Interviewer, Trial
from precompute.experiments.edits.pairs import Pair, drawn_pairs, pools
from precompute.experiments.edits.questions import CHOOSING, JUDGING, FactTable
from precompute.experiments.edits.scenes import Scene, Scenes
from precompute.experiments.edits.scoring import Replies
from precompute.experiments.edits.section import EditsConfig


@dataclass(frozen=True, eq=False)
class Edit:
    """A change of one entity's representation towards another's."""

    pair: Pair
    delta: Callable[[Scene], torch.Tensor]
    """What is added to a prompt's rows, float32 [n_tokens, d_in]."""
    removed: tuple[int, ...] = ()
    """Meta-latents taken away."""
    added: tuple[int, ...] = ()
    """Meta-latents put in."""


@dataclass(frozen=True)
class Item:
    """One attribute of a pair that is to change."""

    pair: Pair
    target: int


def without_error(edit: Edit) -> Edit:
    """The same edit of the SAE's reconstruction: its error is left out wherever edits reach."""
    return Edit(edit.pair, lambda scene: edit.delta(scene) - scene.error, edit.removed, edit.added)


def stronger(edit: Edit, factor: float) -> Edit:
    """The same edit, `factor` times as far."""
    return Edit(edit.pair, lambda scene: factor * edit.delta(scene), edit.removed, edit.added)


class Laboratory:
    """What all methods share: the pairs, the prompts before any edit, and the model."""

    def __init__(
        self, bench: Bench, sae: Dictionary, table: FactTable, settings: EditsConfig
    ) -> None:
        seed = bench.config.seed
        self.sae, self.table, self.settings, self.seed = sae, table, settings, seed
        self.interviewer = Interviewer(bench, table)
        self.scenes = Scenes(self.interviewer, sae, settings.reach == "entity")
        self.pools = pools(len(table.entities), seed)
        is_known = np.logical_and(*np.moveaxis(self.scenes.is_right, 2, 0))
        fitting, least = self.pools.fitting, settings.least_examples
        self.choosing_pairs = drawn_pairs(
            table, is_known, self.pools.choosing, fitting, least, settings.choosing_pairs, seed
        )
        self.pairs = drawn_pairs(
            table, is_known, self.pools.judging, fitting, least, settings.pairs, seed
        )

    @property
    def items(self) -> list[Item]:
        """Every attribute of every pair to judge by."""
        return items_of(self.pairs)

    def try_out(self, edits: Sequence[Edit], wording: int) -> Replies:
        """Answers after every edit to all questions about its pair."""
        replies = Replies.nothing(len(edits), len(self.table.attributes))
        asked = [
            (n, attribute) for n, edit in enumerate(edits) for attribute in edit.pair.attributes
        ]
        heard = self.interviewer.ask(
            self._trial(edits[number], attribute, wording) for number, attribute in asked
        )
        for place, (number, attribute) in enumerate(asked):
            pair, at = edits[number].pair, (number, attribute)
            replies.is_asked[at] = True
            replies.is_own[at] = heard.given[place] == self.table.answers[pair.entity, attribute]
            replies.is_other[at] = heard.given[place] == self.table.answers[pair.other, attribute]
            replies.own[at], replies.other[at] = heard.own[place], heard.other[place]
        return replies

    def judge(self, edits: Sequence[Edit]) -> Replies:
        """The same in the wording to judge by; an edit that is there many times is tried once."""
        return self._tried_once(edits, JUDGING)

    def rehearse(self, edits: Sequence[Edit]) -> Replies:
        """The same in the wording to choose by."""
        return self._tried_once(edits, CHOOSING)

    def _tried_once(self, edits: Sequence[Edit], wording: int) -> Replies:
        different = list({id(edit): edit for edit in edits}.values())
        place = {id(edit): number for number, edit in enumerate(different)}
        rows = np.array([place[id(edit)] for edit in edits], np.int64)
        return self.try_out(different, wording).take(rows)

    def _trial(self, edit: Edit, attribute: int, wording: int) -> Trial:
        scene = self.scenes.at(edit.pair.entity, attribute, wording)
        other = int(self.table.answers[edit.pair.other, attribute])
        return Trial(scene.prompt, other, edit.delta(scene))


def items_of(pairs: Sequence[Pair]) -> list[Item]:
    """Every attribute of every pair."""
    return [Item(pair, attribute) for pair in pairs for attribute in pair.attributes]
