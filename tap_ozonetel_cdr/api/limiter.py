"""When the next request may go: the account's limit, counted from the responses."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Limiter:
    """A sliding period over the last responses; it never changes, each step gives another one.

    It counts from the response, not from the request: the server has received a request before it
    responds to it, so a period that starts at the response has passed at the server too, whatever
    its way of counting. All times are seconds of one monotonic clock, handed in by the caller.

    Attributes:
        requests: How many requests are allowed in ``period`` seconds, the first ones at once.
        period: The limit's period.
        responses: When the last responses, or failures, came.
        held_until: The moment before which no request goes, whatever the limit allows.
    """

    requests: int
    period: float
    responses: tuple[float, ...] = ()
    held_until: float = float("-inf")

    def responded(self, now: float) -> Limiter:
        """Count a request whose response, or failure, has just come."""
        return replace(self, responses=(*self.responses, now)[-self.requests :])

    def hold(self, until: float) -> Limiter:
        """Let no request go before ``until``."""
        return replace(self, held_until=max(self.held_until, until))

    def delay(self, now: float, requests: int = 1) -> float:
        """Return the least seconds until the last of the next ``requests`` requests may go.

        Exact for one; for more, the responses still to come count as immediate.
        """
        responses = list(self.responses)
        due = now
        for _ in range(requests):
            due = max(due, self.held_until)
            if len(responses) >= self.requests:
                due = max(due, responses[-self.requests] + self.period)
            responses.append(due)
        return due - now
