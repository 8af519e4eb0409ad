"""Label the latents of a run: fill the file of answers, then read every label from it.

Labels are read from the file alone, in the order of the evidence, so that neither the number of
threads nor a stop in between changes what comes out.
"""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from tqdm.auto import tqdm

from precompute.model_labels.answers import Answers, Question
from precompute.model_labels.asking import Asker, StoppedError
from precompute.model_labels.evidence import Evidence
from precompute.model_labels.failures import EndpointError, RefusedError
from precompute.model_labels.prompts import Judgement, first_prompt, judge, second_prompt

log = logging.getLogger("precompute")

NOTE_DIGITS = 12  # of the hash of a question, in the note of its label


@dataclass(frozen=True)
class Labelled:
    """One latent with the last answer about it; `note` finds that answer's line in the file."""

    evidence: Evidence
    judgement: Judgement
    note: str


@dataclass
class Outcome:
    """What became of all latents; `error` is why it stopped early, if the server was why."""

    labelled: list[Labelled] = field(default_factory=list)
    n_open: int = 0  # not asked about, or asked without an answer
    refused: list[str] = field(default_factory=list)
    error: EndpointError | None = None
    is_interrupted: bool = False

    @property
    def n_labels(self) -> int:
        return sum(bool(found.judgement.label) for found in self.labelled)

    @property
    def faults(self) -> Counter[str]:
        """Why latents with an answer have no label; "" when the model saw nothing to name."""
        judged = (found.judgement for found in self.labelled)
        return Counter(judgement.fault for judgement in judged if not judgement.label)


@dataclass(frozen=True)
class Survey:
    """Which model is asked, and how."""

    model: str
    parameters: dict[str, Any]

    def question(self, evidence: Evidence) -> Question:
        """The first question about a latent."""
        return Question(self.model, first_prompt(evidence), self.parameters)

    def again(self, question: Question, answer: str, fault: str) -> Question:
        """The question after an answer that was no label."""
        messages = second_prompt(question.messages, answer, fault)
        return Question(self.model, messages, self.parameters)


def label_latents(
    evidence: list[Evidence], survey: Survey, asker: Asker, answers: Answers, concurrency: int
) -> Outcome:
    """Ask about each latent whose answer is not known yet, at most twice.

    Never raises for a server that fails or for Ctrl-C: the outcome says so, and holds all labels
    that are known by then.
    """
    outcome = Outcome()
    first = {question.key: question for question in map(survey.question, evidence)}
    still = [q for q in first.values() if _known(q, survey, answers) is None]
    if still:
        _ask_all(still, len(first), survey, asker, concurrency, outcome)
    for one in evidence:
        known = _known(survey.question(one), survey, answers)
        if known is None:
            outcome.n_open += 1
        else:
            outcome.labelled.append(Labelled(one, *known))
    return outcome


def _known(question: Question, survey: Survey, answers: Answers) -> tuple[Judgement, str] | None:
    """What is known of a latent without asking: its label or fault, and the note of its answer."""
    answer = answers.get(question)
    if answer is None:
        return None
    judgement = judge(answer)
    if judgement.fault:
        question = survey.again(question, answer, judgement.fault)
        answer = answers.get(question)
        if answer is None:
            return None
        judgement = judge(answer)
    return judgement, f"answer {question.key[:NOTE_DIGITS]}"


def _ask_all(
    questions: list[Question],
    n_all: int,
    survey: Survey,
    asker: Asker,
    concurrency: int,
    outcome: Outcome,
) -> None:
    def ask_one(question: Question) -> bool:
        """Whether there was an answer, or never will be."""
        try:
            answer = asker.ask(question)
            fault = judge(answer).fault
            if fault:
                asker.ask(survey.again(question, answer, fault))
        except RefusedError as error:
            outcome.refused.append(str(error))
        except StoppedError:
            asker.stop.set()
            return False
        except EndpointError:
            asker.stop.set()  # at once: this thread would take the next question
            raise
        return True

    bar = tqdm(total=n_all, initial=n_all - len(questions), desc="labels", unit=" prompts")
    with bar, ThreadPoolExecutor(concurrency) as pool:
        pending = [pool.submit(ask_one, question) for question in questions]
        try:
            for future in as_completed(pending):
                bar.update(future.result())
        except EndpointError as error:
            outcome.error = error
        except KeyboardInterrupt:
            outcome.is_interrupted = True
            log.info("stopping: waiting for the answers on their way")
        finally:
            asker.stop.set()  # who waits for a turn or for a busy server gives up
            pool.shutdown(cancel_futures=True)
