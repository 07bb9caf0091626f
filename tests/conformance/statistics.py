"""The figures of a period, computed from a CSV of New York's service requests alone: independent of Concord's code.

usage: statistics.py CSV FROM TO ZONE   (days; ZONE is the zone by whose calendar days are counted)

A request begins at created_date and ends at closed_date where its status is Closed; both are told in New York's time.
Prints what the API's `statistics` should answer, as JSON. Nothing but the standard library is needed.
"""

import csv
import json
import sys
from datetime import date, datetime
from math import ceil
from zoneinfo import ZoneInfo

SOURCE = ZoneInfo("America/New_York")


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=SOURCE)


def nearest_rank(values, share):
    return values[ceil(share * len(values) / 10) - 1] if values else None


def main(path, first, last, zone):
    first, last, zone = date.fromisoformat(first), date.fromisoformat(last), ZoneInfo(zone)
    registered = open_at_end = 0
    seconds = []
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            began = instant(row["created_date"])
            ended = instant(row["closed_date"]) if row["status"] == "Closed" else None
            began_on = began.astimezone(zone).date()
            ended_on = ended.astimezone(zone).date() if ended else None
            registered += first <= began_on <= last
            open_at_end += began_on <= last and (ended_on is None or ended_on > last)
            if ended_on and first <= ended_on <= last:
                seconds.append(int(ended.timestamp()) - int(began.timestamp()))
    seconds.sort()
    closed = len(seconds)
    json.dump(
        {
            "registered": registered,
            "open": open_at_end,
            "closed": closed,
            "struckOff": 0,
            "closureRate": {"numerator": closed, "denominator": closed + open_at_end},
            # Nobody set due dates: none is on time or late, and each is told as left out.
            "onTimeRate": {"numerator": 0, "denominator": 0, "withoutDueDate": closed},
            "handlingTime": {
                "count": closed,
                "medianSeconds": nearest_rank(seconds, 5),
                "p90Seconds": nearest_rank(seconds, 9),
            },
        },
        sys.stdout,
    )


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
