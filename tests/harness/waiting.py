"""Waiting for events.

Rule: a test waits until something has happened, never for a time in which it should have happened. The bound is there only so
that a run ends when it never does, and is far beyond what the slowest machine needs. How soon something holds is not for these
tests to say: another run on the same machine makes any of them slow."""

import time

PATIENCE_SECONDS = 90


def until(question, pause=0.02):
    """Asks until the answer is true, and gives it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {PATIENCE_SECONDS} s"
        time.sleep(pause)


def everywhere(api, question, expected):
    """Asks until every process of the service, which are asked in turns, gives that answer: what is done at one is known to the others
    within a second."""
    answers = []

    def ask():
        answers[:] = [question() for _ in api.service.addresses]
        return all(answer == expected for answer in answers)

    try:
        until(ask)
    except AssertionError as error:
        raise AssertionError(f"{answers}, not {expected}: {error}") from None
