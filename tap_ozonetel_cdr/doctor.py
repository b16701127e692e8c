"""What ``--test`` says: is the account reached, let in, and read as the settings mean it?"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_ozonetel_cdr.api.client import MissingDay
from tap_ozonetel_cdr.api.limiter import Limiter
from tap_ozonetel_cdr.errors import RefusedError
from tap_ozonetel_cdr.plan import settled_day
from tap_ozonetel_cdr.records.ids import ZoneCheck
from tap_ozonetel_cdr.records.rows import RowMaker

if TYPE_CHECKING:
    import logging
    from datetime import date

    from tap_ozonetel_cdr.api.client import Client, DayResponse
    from tap_ozonetel_cdr.clock import Clock
    from tap_ozonetel_cdr.plan import Plan
    from tap_ozonetel_cdr.settings import Settings

_WRONG_CLOCK = 60
"""Seconds of difference from which on a clock is wrong, and not merely asked at another moment."""


def examine(
    run: Settings, planned: Plan, client: Client, *, clock: Clock, logger: logging.Logger
) -> DayResponse:
    """Ask for the last settled day, and say in a line each what is right and what is not.

    That is one request for records: one more where the way in has to be found, and one more,
    without filters, where filters are set. What can be wrong unnoticed is a WARNING: this machine's
    clock, ``timezone``, and filters that leave nothing.

    Returns:
        The day as the filters leave it; the caller closes it.

    Raises:
        RefusedError: The API refused.
        UnavailableError: No complete response came within ``retry_timeout`` seconds.
        LocalError: The disk is full.
    """
    day = settled_day(clock.now().astimezone(run.timezone), run.settling_hours) - timedelta(days=1)
    with contextlib.ExitStack() as on_failure:
        wanted = on_failure.enter_context(contextlib.closing(_fetched(client, day)))
        logger.info("%s is reached: it answered in %.1f s", run.api_url, wanted.seconds)
        logger.info(
            "user_name and api_key work (auth_method: %s, set to %s)",
            client.standing.way_in,
            run.auth_method,
        )
        _say_of_clock(client.clock_ahead, logger)
        if run.filters:
            client.without_filters()
            with contextlib.closing(_fetched(client, day)) as whole:
                _say_of_zone(whole, run, logger)
                _say_of_filters(wanted, whole, run, logger)
        else:
            _say_of_zone(wanted, run, logger)
            logger.info("%s has %d records", day, wanted.count)
        _say_of_plan(planned, run, logger)
        on_failure.pop_all()
    return wanted


def _fetched(client: Client, day: date) -> DayResponse:
    """Return a day.

    Raises:
        RefusedError: The API does not have it.
    """
    response = client.fetch_day(day)
    if isinstance(response, MissingDay):
        raise RefusedError(f"{day} cannot be read: {response.reason}. Check retention_days")
    return response


def _say_of_clock(ahead: float | None, logger: logging.Logger) -> None:
    if ahead is None:
        logger.info("The server does not say what time it has: check this machine's clock yourself")
    elif abs(ahead) > _WRONG_CLOCK:
        logger.warning(
            "This machine's clock is %.0f s %s the server's: set it right. The API refuses what is "
            "later than now, and a clock that is behind leaves the last records to the next run",
            abs(ahead),
            "ahead of" if ahead > 0 else "behind",
        )
    else:
        logger.info("This machine's clock and the server's are %.0f s apart", abs(ahead))


def _say_of_zone(response: DayResponse, run: Settings, logger: logging.Logger) -> None:
    maker = RowMaker(run.timezone, columns=ZoneCheck.SOURCES)
    check = maker.zone_check
    for body in response.bodies:
        for chunk in body.chunks():
            if not check.decided:
                maker.rows(chunk, response.day)
    other = check.end_day()
    if other:
        logger.warning(
            "timezone is %s (%s), but the ids of the records say %s: instants are wrong by the "
            "difference. Set timezone to the account's",
            run.timezone.key,
            other.of_setting,
            other.of_ids,
        )
    elif check.agreeing:
        logger.info("timezone: %s agrees with the ids of the records", run.timezone.key)
    else:
        logger.info(
            "timezone: %s is not confirmed; too few records, or ids that hold no time",
            run.timezone.key,
        )


def _say_of_filters(
    wanted: DayResponse, whole: DayResponse, run: Settings, logger: logging.Logger
) -> None:
    if whole.count and not wanted.count:
        logger.warning(
            "%s has %d records, and the filters leave none of them. Check the spelling of %s",
            whole.day,
            whole.count,
            run.filter_names,
        )
    else:
        logger.info(
            "%s has %d records, and the filters (%s) leave %d of them",
            whole.day,
            whole.count,
            run.filter_names,
            wanted.count,
        )


def _say_of_plan(planned: Plan, run: Settings, logger: logging.Logger) -> None:
    which = "The next run" if planned.bookmark else "A first run"
    if not planned.days:
        logger.info("%s has nothing to read: today is outside start_date and end_date", which)
        return
    wait = Limiter(run.rate_limit_requests, run.rate_limit_period).delay(0, len(planned.days))
    logger.info(
        "%s reads %s to %s: %d requests, %s",
        which,
        planned.days[0],
        planned.days[-1],
        len(planned.days),
        f"at least {wait:.0f} s for the account's limit" if wait else "no wait",
    )
