"""Dates as HTTP writes them: RFC 9110, 5.6.7; and as access logs do."""

from __future__ import annotations

import time
from calendar import timegm as _timegm
from functools import lru_cache
from typing import Final

__all__ = [
    "datetimeToLogString",
    "datetimeToString",
    "monthname",
    "monthname_lower",
    "now",
    "stringToDatetime",
    "timegm",
    "weekdayname",
    "weekdayname_lower",
]

weekdayname: Final = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
monthname: Final = [None, "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
weekdayname_lower: Final = [name.lower() for name in weekdayname]
monthname_lower: Final = [name and name.lower() for name in monthname]

FIRST_YEAR_OF_TWO_DIGITS: Final = 1970
"""Years of two digits are of the hundred years from here on: there was no HTTP before."""


@lru_cache(maxsize=64)
def _string(when: int) -> bytes:
    year, month, day, hour, minute, second, weekday = time.gmtime(when)[:7]
    return (
        f"{weekdayname[weekday]}, {day:02} {monthname[month]} {year:04} {hour:02}:{minute:02}:{second:02} GMT".encode()
    )


def now() -> bytes:
    """Return the date of this second, for the header Date; it is made once in a second."""
    return _string(int(time.time()))


def datetimeToString(msSinceEpoch: float | None = None) -> bytes:
    """Return a date for a header.

    :param msSinceEpoch: the time, in seconds (whatever its name says) since 1970; now if None.
    """
    return now() if msSinceEpoch is None else _string(int(msSinceEpoch))


def datetimeToLogString(msSinceEpoch: float | None = None) -> str:
    """Return a date for an access log, in brackets.

    :param msSinceEpoch: the time, in seconds (whatever its name says) since 1970; now if None.
    """
    year, month, day, hour, minute, second = time.gmtime(msSinceEpoch)[:6]
    return f"[{day:02}/{monthname[month]}/{year:4}:{hour:02}:{minute:02}:{second:02} +0000]"


def timegm(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Return the seconds since 1970 of a time in UTC.

    :raises ValueError: if there is no such year or month.
    """
    if year < 1970:
        raise ValueError(f"years before 1970 are not counted: {year}")
    if not 1 <= month <= 12:
        raise ValueError(f"there is no month {month}")
    return _timegm((year, month, day, hour, minute, second, 0, 0, 0))


def stringToDatetime(dateString: bytes) -> int:
    """Return the seconds since 1970 of a date in any of the forms of HTTP: RFC 1123, RFC 850, and that of ``asctime``.

    The day of the week may lack, and is not looked at.

    :raises ValueError: if it is none of them.
    """
    parts = dateString.decode("ascii").split()
    if parts and parts[0].rstrip(",").lower()[:3] in weekdayname_lower:
        del parts[0]
    try:
        if len(parts) in (2, 3) and "-" in parts[0]:  # RFC 850
            day, month, year = parts[0].split("-")
            clock = parts[1]
        elif len(parts) == 4 and ":" in parts[2]:  # asctime
            month, day, clock, year = parts
        else:
            day, month, year, clock = parts[:4]
        hour, minute, second = map(int, clock.split(":"))
        full = int(year)
        if full < 100:
            full += 1900 if full + 1900 >= FIRST_YEAR_OF_TWO_DIGITS else 2000
        return timegm(full, monthname_lower.index(month.lower()), int(day), hour, minute, second)
    except ValueError as error:
        raise ValueError(f"{dateString!r} is no date of HTTP: {error}") from None
