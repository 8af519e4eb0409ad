"""Asking the model many questions at once, each with its own change of its own activations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from precompute.experiments.bench import Bench
from precompute.experiments.edits.questions import FactTable, Prompt

AT_ONCE = 2048  # prompts; their logits are 65 MB at 8,000 tokens


@dataclass(frozen=True)
class Trial:
    """A prompt with something added to its rows, and whose answer is looked for."""

    prompt: Prompt
    other: int
    """First token of the other's answer."""
    delta: torch.Tensor
    """float32 [n_tokens, d_in]"""


@dataclass(frozen=True)
class Heard:
    """What the model said; all [n_trials]."""

    given: np.ndarray
    """int64: the likeliest of the attribute's values, by first token."""
    own: np.ndarray
    """float32: log-probability of the right answer among all tokens, in nats."""
    other: np.ndarray
    """The same of the other's answer."""


class Interviewer:
    """Questions about one table to the run's model."""

    def __init__(self, bench: Bench, table: FactTable) -> None:
        self.bench, self.table = bench, table
        size = len(bench.language_model.token_directions)
        self._is_candidate = torch.zeros(len(table.attributes), size, dtype=torch.bool)
        for number, tokens in enumerate(table.candidates):
            self._is_candidate[number, torch.from_numpy(tokens)] = True

    def untouched(self, prompts: Sequence[Prompt]) -> tuple[list[torch.Tensor], np.ndarray]:
        """Activations [n_tokens, d_in] of each prompt, and whether it is answered right."""
        rows: list[torch.Tensor] = []
        is_right = []
        for start in range(0, len(prompts), AT_ONCE):
            some = prompts[start : start + AT_ONCE]
            kept: list[torch.Tensor] = []

            def keep(
                own: torch.Tensor, _numbers: torch.Tensor, kept: list[torch.Tensor] = kept
            ) -> torch.Tensor:
                kept.append(own.clone())
                return own

            model = self.bench.spliced([prompt.ids for prompt in some])
            logits = model.next_logits(keep)
            rows += torch.cat(kept).split([len(prompt.ids) for prompt in some])
            right = np.array([prompt.answer for prompt in some])
            is_right.append(self._given(logits, some) == right)
        return rows, np.concatenate(is_right) if is_right else np.zeros(0, bool)

    def ask(self, trials: Iterable[Trial]) -> Heard:
        """Every trial, in order."""
        source = iter(trials)
        parts = list(_heard_of(self, source))
        if not parts:
            return Heard(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32))
        return Heard(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def hear(self, trials: list[Trial]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Some trials, prompts of like length beside each other."""
        order = np.argsort([len(trial.prompt.ids) for trial in trials], kind="stable")
        ordered = [trials[i] for i in order]
        prompts = [trial.prompt for trial in ordered]
        deltas = torch.cat([trial.delta for trial in ordered])
        model = self.bench.spliced([prompt.ids for prompt in prompts])
        logits = model.next_logits(lambda own, numbers: own + deltas[numbers].to(own))
        chances = logits.log_softmax(1)
        own = torch.tensor([prompt.answer for prompt in prompts], device=logits.device)
        other = torch.tensor([trial.other for trial in ordered], device=logits.device)
        back = np.argsort(order)
        return (
            self._given(logits, prompts)[back],
            chances.gather(1, own[:, None])[:, 0].cpu().numpy()[back],
            chances.gather(1, other[:, None])[:, 0].cpu().numpy()[back],
        )

    def _given(self, logits: torch.Tensor, prompts: Sequence[Prompt]) -> np.ndarray:
        attribute = torch.tensor([prompt.attribute for prompt in prompts])
        wrong = ~self._is_candidate[attribute].to(logits.device)
        return logits.masked_fill(wrong, -torch.inf).argmax(1).cpu().numpy()


def _heard_of(
    interviewer: Interviewer, source: Iterator[Trial]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    while trials := list(islice(source, AT_ONCE)):
        yield interviewer.hear(trials)
