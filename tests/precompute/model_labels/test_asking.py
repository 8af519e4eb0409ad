"""Budget, patience and memory: what is sent, how often, and when it stops."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from precompute.model_labels import asking
from precompute.model_labels.address import endpoint_url
from precompute.model_labels.answers import Answers, Question
from precompute.model_labels.asking import Asker, Budget, StoppedError
from precompute.model_labels.endpoint import Endpoint
from precompute.model_labels.failures import EndpointError, RefusedError
from tests.precompute.model_labels.chat_server import Asked, Reply, completion, serving

BUSY = Reply(b"", 429)


def _question(text: str = "what?") -> Question:
    return Question("m", [{"role": "user", "content": text}], {"max_tokens": 64})


class _Waits(threading.Event):
    """An event that nobody sets, and waits for nothing: `seconds` are what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        return False


@pytest.fixture
def waits() -> list[float]:
    """Seconds that were waited for, without waiting."""
    return []


@pytest.fixture
def ask(tmp_path: Path, waits: list[float]):
    """Ask questions of a server that answers as told; gives texts and number of requests."""

    def run(
        answer: Callable[[int, Asked], Reply], *questions: Question, budget: Budget | None = None
    ) -> tuple[list[str], int]:
        with serving(answer) as server:
            answers = Answers(tmp_path / "answers.jsonl")
            asker = Asker(Endpoint(endpoint_url(server.address)), answers, budget or Budget())
            asker.stop = stop = _Waits()
            stop.seconds = waits
            try:
                return [asker.ask(question) for question in questions], len(server.asked)
            finally:
                answers.close()

    return run


def test_an_answer_is_kept_with_all_that_it_depends_on(ask, tmp_path):
    assert ask(lambda *_: completion("city", 42), _question()) == (["city"], 1)
    (line,) = (tmp_path / "answers.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "key": _question().key,
        "answer": "city",
        "tokens": 42,
        "model": "m",
        "messages": [{"role": "user", "content": "what?"}],
        "max_tokens": 64,
    }


def test_the_same_question_is_asked_once_and_never_after_that(ask):
    assert ask(lambda *_: completion("city"), _question(), _question()) == (["city", "city"], 1)
    assert ask(lambda *_: completion("other"), _question()) == (["city"], 0)


@pytest.mark.parametrize(
    "other",
    [
        Question("m2", _question().messages, {"max_tokens": 64}),
        Question("m", _question().messages, {"max_tokens": 65}),
        _question("why?"),
    ],
)
def test_another_model_parameter_or_prompt_is_another_question(ask, other):
    def answer(place: int, _asked: Asked) -> Reply:
        return completion(str(place))

    assert ask(answer, _question(), other) == (["0", "1"], 2)


def test_a_torn_last_line_and_lines_that_are_none_cost_only_themselves(ask, tmp_path):
    ask(lambda *_: completion("city"), _question("a"), _question("b"))
    path = tmp_path / "answers.jsonl"
    first, second = path.read_bytes().splitlines()
    path.write_bytes(first + b"\n\xff{}\n[1]\n" + b'{"key": 1, "answer": 2}\n' + second[:-9])
    assert ask(lambda *_: completion("again"), _question("a"), _question("b")) == (
        ["city", "again"],
        1,
    )
    assert ask(lambda *_: completion("x"), _question("a"), _question("b")) == (["city", "again"], 0)


def test_a_busy_server_is_asked_again_after_longer_and_longer_waits(ask, waits):
    def answer(place: int, _asked: Asked) -> Reply:
        return BUSY if place < 4 else completion("city")

    assert ask(answer, _question()) == (["city"], 5)
    for wait, least in zip(waits, [1, 2, 4, 8], strict=True):
        assert least <= wait <= 1.3 * least


def test_retry_after_is_waited_for(ask, waits):
    def answer(place: int, _asked: Asked) -> Reply:
        return Reply(b"", 429, {"Retry-After": "30"}) if place == 0 else completion("city")

    assert ask(answer, _question())[0] == ["city"]
    assert 30 <= waits[0] <= 39


def test_a_server_that_asks_for_an_hour_is_left_alone(ask, waits):
    with pytest.raises(EndpointError, match=r"asks to wait 3,600 s\. Run the same command again"):
        ask(lambda *_: Reply(b"", 429, {"Retry-After": "3600"}), _question())
    assert waits == []


def test_a_prompt_that_never_gets_an_answer_is_given_up_and_not_kept(ask, waits):
    with pytest.raises(RefusedError, match="answered 500"):
        ask(lambda *_: Reply(b"", 500), _question())
    assert len(waits) == asking.MOST_TRIES - 1
    assert ask(lambda *_: completion("city"), _question()) == (["city"], 1)


def test_prompts_refused_one_after_the_other_are_not_the_prompts_fault(tmp_path):
    def answer(place: int, _asked: Asked) -> Reply:
        return completion("city") if place == 3 else Reply(b"unknown parameter", 400)

    with serving(answer) as server:
        asker = Asker(Endpoint(endpoint_url(server.address)), Answers(tmp_path / "a"), Budget())
        for place in range(8):
            if place == 3:  # a good answer in between starts the count anew
                assert asker.ask(_question("3")) == "city"
                continue
            with pytest.raises(RefusedError):
                asker.ask(_question(str(place)))
        with pytest.raises(EndpointError, match=r"unknown parameter.*5 prompts in a row"):
            asker.ask(_question("8"))


def test_the_request_budget_counts_every_try(ask, waits):
    budget = Budget(max_requests=3)
    with pytest.raises(StoppedError):
        ask(lambda *_: BUSY, _question(), budget=budget)
    assert (budget.requests, budget.tokens, budget.is_used) == (3, 0, True)
    assert len(waits) == 3


def test_the_token_budget_is_never_exceeded_by_what_is_expected(ask):
    """A prompt of 400 characters and 64 for the label: 164 expected, 100 used as the server says.

    After 4 answers 400 are used, and 164 more fit into 564 but not into 563.
    """
    for most, sent in ((564, 5), (563, 4)):
        questions = [_question(f"{most} {place:<396}") for place in range(9)]
        budget = Budget(max_tokens=most)
        with pytest.raises(StoppedError):
            ask(lambda *_: completion("x", 100), *questions, budget=budget)
        assert (budget.requests, budget.tokens) == (sent, 100 * sent)


def test_tokens_are_guessed_where_the_server_does_not_count(ask):
    budget = Budget()
    ask(lambda *_: completion("x" * 8, None), _question("y" * 41), budget=budget)
    assert budget.tokens == 11 + 2  # four characters each, rounded up


def test_a_known_answer_costs_nothing(ask):
    ask(lambda *_: completion("city"), _question())
    budget = Budget(max_requests=1)
    assert ask(lambda *_: completion("x"), _question(), budget=budget) == (["city"], 0)
    assert (budget.requests, budget.tokens) == (0, 0)
