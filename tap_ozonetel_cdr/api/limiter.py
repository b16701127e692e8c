"""When the next request may go: the account's limit, counted from the answers."""

from __future__ import annotations

from collections import deque


class Limiter:
    """A sliding window over the answers to the last requests.

    It counts from the answer, not from the question: the server has received a request before it
    answers it, so a window that starts at the answer has passed at the server too, whatever its
    way of counting. All times are seconds of one monotonic clock, handed in by the caller.
    """

    def __init__(self, requests: int, period: float) -> None:
        """Allow ``requests`` requests in ``period`` seconds, the first ones at once."""
        self._period = period
        self._answers: deque[float] = deque(maxlen=requests)
        self._held_until = float("-inf")

    def answered(self, now: float) -> None:
        """Count a request whose answer, or failure, has just come."""
        self._answers.append(now)

    def hold(self, until: float) -> None:
        """Let no request go before ``until``."""
        self._held_until = max(self._held_until, until)

    def hold_window(self, now: float) -> None:
        """Let no request go for a whole period: another client has used the limit up."""
        self.hold(now + self._period)

    def delay(self, now: float, requests: int = 1) -> float:
        """Return the least seconds until the last of the next ``requests`` requests may go.

        Exact for one; for more, the answers still to come count as immediate.
        """
        answers = self._answers.copy()
        due = now
        for _ in range(requests):
            due = max(due, self._held_until)
            if len(answers) == answers.maxlen:
                due = max(due, answers[0] + self._period)
            answers.append(due)
        return due - now
