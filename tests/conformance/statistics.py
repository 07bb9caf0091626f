"""The figures of a period, computed from a CSV of New York's service requests alone: independent of Concord's code.

usage: statistics.py CSV FROM TO ZONE            the file as it stands, taken over by an import
       statistics.py CSV FROM TO ZONE REPLAY     the file lived through here, under deadline policies

Days are those of ZONE's calendar. A request begins at created_date and ends at closed_date where its status is Closed; both are
told in New York's time. Prints what the API's `statistics` should answer, as JSON. Nothing but the standard library is needed.

REPLAY is a JSON object: every how many rows one is taken (`every`), when the first moment of the file is (`base`), by how much its
hours are stretched (`factor`), the `rules` of the deadline policy, the calendar's CSV (`holidays`), and when it is now (`now`).
A request is assigned when it is registered; its unit accepts, finishes and closes it at its end.
"""

import csv
import json
import sys
from datetime import date, datetime, timedelta, timezone
from math import ceil
from zoneinfo import ZoneInfo

SOURCE = ZoneInfo("America/New_York")
# Beijing's limits, as the handbook names them: (clock, urgency) to amount and unit; complex ordinary matters take 15 days.
DEFAULTS = {
    ("RESPONSE", "LIFE_SAFETY"): (1, "HOURS"),
    ("RESPONSE", "UTILITIES"): (2, "HOURS"),
    ("RESPONSE", "ORDINARY"): (24, "HOURS"),
    ("RESOLUTION", "LIFE_SAFETY"): (2, "HOURS"),
    ("RESOLUTION", "UTILITIES"): (24, "HOURS"),
    ("RESOLUTION", "ORDINARY"): (7, "DAYS"),
}


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=SOURCE)


def nearest_rank(values, share):
    return values[ceil(share * len(values) / 10) - 1] if values else None


class Replay:
    """Requests lived through: when they begin and end here, and by when they are due."""

    def __init__(self, told, rows, zone):
        self.told, self.zone = told, zone
        self.base = datetime.fromisoformat(told["base"])
        self.now = datetime.fromisoformat(told["now"])
        self.first = min(instant(row["created_date"]) for row in rows)
        self.off, self.work = set(), set()
        with open(told["holidays"], encoding="utf-8", newline="") as file:
            lines = [line for line in file if not line.startswith("#")]
        for row in csv.DictReader(lines):
            (self.off if row["kind"] == "off" else self.work).add(date.fromisoformat(row["date"]))

    def at(self, text):
        passed = instant(text).astimezone(timezone.utc) - self.first.astimezone(timezone.utc)
        return self.base + passed * self.told["factor"]

    def is_working(self, day):
        return day in self.work or (day.weekday() < 5 and day not in self.off)

    @staticmethod
    def traits(row):
        severity = {"PHONE": "UTILITIES", "MOBILE": "LIFE_SAFETY"}.get(row["open_data_channel_type"], "ORDINARY")
        tier = {"QUEENS": "SMALL", "BROOKLYN": "BIG"}.get(row["borough"], "HARD")
        return {"severity": severity, "tier": tier, "isComplex": row["location_type"].startswith("Street")}

    def limit(self, clock, traits):
        best, most = None, -1
        for rule in self.told["rules"]:
            said = [name for name in ("severity", "tier", "isComplex") if rule.get(name) is not None]
            if rule["clock"] == clock and all(rule[name] == traits[name] for name in said) and len(said) > most:
                best, most = (rule["amount"], rule["unit"]), len(said)
        if best:
            return best
        if clock == "RESOLUTION" and traits["severity"] == "ORDINARY" and traits["isComplex"]:
            return 15, "DAYS"
        return DEFAULTS[clock, traits["severity"]]

    def due(self, clock, row, began):
        """The instant from which it is late, and whether it stands on a year without a published notice."""
        amount, unit = self.limit(clock, self.traits(row))
        if unit == "HOURS":
            return began + timedelta(hours=amount), False
        day = began.astimezone(self.zone).date()
        while amount:
            day += timedelta(days=1)
            amount -= unit == "DAYS" or self.is_working(day)
        end = day + timedelta(days=1)
        unknown = unit == "WORKING_DAYS" and day.year not in {known.year for known in self.off}
        return datetime(end.year, end.month, end.day, tzinfo=self.zone), unknown

    def last_day(self, due):
        return (due - timedelta(microseconds=1)).astimezone(self.zone).date()


def main(path, first, last, zone, told=None):
    first, last, zone = date.fromisoformat(first), date.fromisoformat(last), ZoneInfo(zone)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    replay = None
    if told:
        told = json.loads(told)
        rows = rows[:: told["every"]]
        replay = Replay(told, rows, zone)
    today = replay.now.astimezone(zone).date() if replay else None
    registered = open_at_end = overdue = late = on_time = without = breached = 0
    seconds = []
    for row in rows:
        began, ended, due_on, was_late, late_by_then = instant(row["created_date"]), None, None, False, False
        if row["status"] == "Closed":
            ended = instant(row["closed_date"])
        if replay:
            began = replay.at(row["created_date"])
            ended = replay.at(row["closed_date"]) if ended else None
            dues = [replay.due(clock, row, began) for clock in ("RESPONSE", "RESOLUTION")]
            due_on = replay.last_day(dues[1][0])
            # Nothing is late by a date that is not known yet. A limit in hours is over before its day is.
            due_at, is_unknown = dues[1]
            due_on = None if is_unknown else due_on
            over = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
            was_late = not is_unknown and bool(ended and ended > due_at)
            late_by_then = not is_unknown and due_at <= min(replay.now, over)
            breached += any(
                (ended or replay.now) >= due and first <= replay.last_day(due) <= last
                for due, unknown in dues
                if not unknown
            )
        began_on = began.astimezone(zone).date()
        ended_on = ended.astimezone(zone).date() if ended else None
        registered += first <= began_on <= last
        is_open = began_on <= last and (ended_on is None or ended_on > last)
        open_at_end += is_open
        # By today, where the period goes on.
        is_overdue = bool(is_open and due_on and due_on < min(today, last + timedelta(days=1)))
        overdue += is_overdue
        late += is_overdue or (is_open and late_by_then)
        if ended_on and first <= ended_on <= last:
            seconds.append(int(ended.timestamp()) - int(began.timestamp()))
            on_time += bool(due_on and ended_on <= due_on and not was_late)
            without += due_on is None
    seconds.sort()
    closed = len(seconds)
    json.dump(
        {
            "registered": registered,
            "open": open_at_end,
            "overdue": overdue,
            "closed": closed,
            "struckOff": closed if replay else 0,
            "breached": breached,
            "closureRate": {"numerator": closed, "denominator": closed + open_at_end},
            # What has no due date, or none that is known yet, is neither on time nor late, and told as left out.
            "onTimeRate": {
                "numerator": on_time,
                "denominator": closed - without + late,
                "withoutDueDate": without,
            },
            "handlingTime": {
                "count": closed,
                "medianSeconds": nearest_rank(seconds, 5),
                "p90Seconds": nearest_rank(seconds, 9),
            },
        },
        sys.stdout,
    )


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    main(*sys.argv[1:])
