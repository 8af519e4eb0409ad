"""Ask one question after another, within a budget, patiently, and never the same one twice."""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass, field

from precompute.model_labels.answers import Answers, Question
from precompute.model_labels.endpoint import Endpoint
from precompute.model_labels.failures import BusyError, EndpointError, RefusedError

log = logging.getLogger("precompute")

MOST_TRIES = 6
FIRST_WAIT = 1.0  # seconds before the second try; doubled before each further one
LONGEST_WAIT = 120.0  # a server that wants more is left alone
MOST_FAILURES = 5  # prompts in a row that got no answer; then it is not the prompts
ANSWER_LIMITS = ("max_tokens", "max_completion_tokens")  # old and new name in the protocol
CHARACTERS_A_TOKEN = 4  # of English; used where a server does not count


class StoppedError(Exception):
    """No more questions: the budget is used, or another thread found a reason to stop."""


@dataclass
class Budget:
    """Requests sent (tries included) and tokens used; None is no limit."""

    max_requests: int | None = None
    max_tokens: int | None = None
    requests: int = 0
    tokens: int = 0
    is_used: bool = False
    _set_aside: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def take(self, tokens: int) -> None:
        """Count a request and set `tokens` aside for it.

        Raises:
            StoppedError: they are not left; from now on nothing is.
        """
        with self._lock:
            self.is_used |= self.max_requests is not None and self.requests >= self.max_requests
            would_be = self.tokens + self._set_aside + tokens
            self.is_used |= self.max_tokens is not None and would_be > self.max_tokens
            if self.is_used:
                raise StoppedError
            self.requests += 1
            self._set_aside += tokens

    def settle(self, set_aside: int, used: int) -> None:
        """Replace what was set aside for a request by what it used."""
        with self._lock:
            self._set_aside -= set_aside
            self.tokens += used


class Asker:
    """Answers from the file where they are, else from the endpoint; threads may share it."""

    def __init__(self, endpoint: Endpoint, answers: Answers, budget: Budget) -> None:
        self.stop = threading.Event()
        self._endpoint = endpoint
        self._answers = answers
        self._budget = budget
        self._failures = 0  # in a row

    def ask(self, question: Question) -> str:
        """The answer to a question.

        Raises:
            EndpointError: the server cannot be used.
            StoppedError: the budget is used, or `stop` was set.
            RefusedError: the server gave no answer to this question, though it may to others.
        """
        known = self._answers.get(question)
        if known is not None:
            return known
        try:
            text = self._try(question)
        except (BusyError, RefusedError) as error:
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                raise EndpointError(f"{error} ({self._failures} prompts in a row)") from None
            raise RefusedError(str(error)) from None
        self._failures = 0
        return text

    def _try(self, question: Question) -> str:
        expected = _prompt_tokens(question) + _answer_tokens(question)
        for attempt in range(MOST_TRIES):
            if self.stop.is_set():
                raise StoppedError
            self._budget.take(expected)
            used = 0
            try:
                completion = self._endpoint.complete(question.body)
                guessed = _prompt_tokens(question) + _tokens(completion.text)
                used = guessed if completion.tokens is None else completion.tokens
                self._answers.put(question, completion.text, used)
                return completion.text
            except BusyError as error:
                if attempt + 1 == MOST_TRIES:
                    raise
                self._wait(error, attempt)
            finally:
                self._budget.settle(expected, used)
        raise AssertionError("the last try returns or raises")

    def _wait(self, error: BusyError, attempt: int) -> None:
        """Longer after each try, never less than the server asks for, and not all at once."""
        asked_for = error.wait or 0.0
        if asked_for > LONGEST_WAIT:
            raise EndpointError(
                f"{error} It asks to wait {asked_for:,.0f} s. Run the same command again then"
            )
        wait = max(FIRST_WAIT * 2**attempt, asked_for) * random.uniform(1.0, 1.3)
        log.debug("%s; next try in %.1f s", error, wait)
        if self.stop.wait(wait):
            raise StoppedError


def _prompt_tokens(question: Question) -> int:
    return sum(_tokens(message["content"]) for message in question.messages)


def _answer_tokens(question: Question) -> int:
    """What is set aside for an answer: the most that the server may make of it, if that is set."""
    limits = [question.parameters.get(name) for name in ANSWER_LIMITS]
    return max([limit for limit in limits if isinstance(limit, int)], default=0)


def _tokens(text: str) -> int:
    """About how many tokens a text has, rounded up."""
    return -(-len(text) // CHARACTERS_A_TOKEN)
