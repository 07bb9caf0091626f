"""Keeps the data set the same from round to round although M1 writes to it."""

import contextlib
import sqlite3
import time

from .place import BENCH


class Reset:
    def __init__(self, place, cluster):
        self.place = place
        self.cluster = cluster

    def drain(self, server):
        """Waits until Concord has sealed what was recorded; of the others nobody does."""
        if server is None or server.dialect != "concord":
            return
        for _ in range(300):
            if self._waiting(server) == 0:
                return
            time.sleep(0.1)
        raise SystemExit("events are not sealed within 30 seconds")

    def _waiting(self, server):
        count = "SELECT count(*) FROM event_pending"
        if server.database == "postgres":
            return int(self.cluster.sql(count))
        with contextlib.closing(sqlite3.connect(self.place.sqlite)) as db:
            return db.execute(count).fetchone()[0]

    def after_writes(self, server):
        """The pool is assigned again, which the product's own triggers count, and dead rows go."""
        reset = (BENCH / "load/reset.sql").read_text()
        if server is not None and server.database == "sqlite":
            with contextlib.closing(sqlite3.connect(self.place.sqlite, timeout=30)) as db:
                db.executescript(f"BEGIN;\n{reset}\nCOMMIT;")
            return
        # Events that no server sealed: the triggers of the product would keep them for ever.
        unsealed = ("CREATE TEMP TABLE unsealed AS SELECT event_id FROM event_pending; DELETE FROM event_pending; "
                    "DELETE FROM event USING unsealed WHERE event.id = unsealed.event_id;")
        self.cluster.psql(text=f"BEGIN; SET LOCAL session_replication_role = replica; {unsealed}\n"
                               f"SET LOCAL session_replication_role = origin;\n{reset}\nCOMMIT;")
        self.cluster.sql(*(f"VACUUM {table}" for table in ("problem", "event", "event_pending", "alliance_count")))
