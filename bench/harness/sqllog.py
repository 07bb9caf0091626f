"""Which statements a request sends, read back from the database's log."""

import contextlib
import re
import time

from .servers import post

ENTRY = re.compile(r"^\S+ \S+ \S+ \[(\d+)\] (LOG|DETAIL):  (.*)$")
# The hands sleep meanwhile, so that nothing else is in the log.
QUIET = {"CONCORD__ROLES__BACKGROUND": "false", "CONCORD__BACKGROUND__POLL_INTERVAL_MS": "3600000"}


@contextlib.contextmanager
def everything(cluster):
    """The log tells of every statement while this holds."""
    _settings(cluster, {"log_min_duration_statement": "0"})
    try:
        yield
    finally:
        _settings(cluster, {"log_min_duration_statement": None})


def _settings(cluster, wanted):
    for name, value in wanted.items():
        cluster.sql(f"ALTER SYSTEM {'RESET ' + name if value is None else f'SET {name} = {value}'}")
    cluster.sql("SELECT pg_reload_conf()")
    time.sleep(0.3)


def _statements(log):
    """(process, statement, parameters) of each execution in the log, in order."""
    entries = []
    for line in log.splitlines():
        found = ENTRY.match(line)
        if found:
            entries.append([found[1], found[2], found[3]])
        elif entries:
            # A statement of several lines goes on.
            entries[-1][2] += " " + line.strip()
    seen, latest = [], {}
    for process, kind, text in entries:
        if kind == "LOG":
            executed = re.match(r"duration: [\d.]+ ms  (?:execute [^:]*|statement): (.*)$", text)
            # Binding has parameters of its own in the log; those of the execution follow it.
            latest[process] = [process, executed[1], {}] if executed else None
            if executed:
                seen.append(latest[process])
        elif latest.get(process) and text.startswith("parameters: "):
            # Values are quoted, with quotes in them doubled.
            latest[process][2] = {number: (None if value == "NULL" else value[1:-1])
                                  for number, value in re.findall(r"\$(\d+) = (NULL|'(?:[^']|'')*')", text)}
    return seen


def _of_request(seen, op):
    """Without what is done beside it: the look at ended sessions once a second, and what the hands do; of a mutation its unit
    of work is kept."""
    seen = [row for row in seen if '"session"."ended_at" >' not in row[1]]
    begin = next((at for at, (_, text, _) in enumerate(seen) if text.upper().startswith("BEGIN")), None)
    if not op.startswith("M") or begin is None:
        return seen
    process = seen[begin][0]
    unit = []
    for row in seen[begin:]:
        if row[0] == process:
            unit.append(row)
            if row[1].upper().startswith("COMMIT"):
                break
    return unit


def of_one(cluster, port, line, op):
    """Sends one line of a requests file; gives status, answer and the statements that it took."""
    token, _, body = line.partition("\t")
    begin = cluster.log.stat().st_size
    status, answer = post(port, body, token)
    time.sleep(0.3)
    with cluster.log.open("rb") as file:
        file.seek(begin)
        seen = _statements(file.read().decode(errors="replace"))
    return status, answer, _of_request(seen, op)
