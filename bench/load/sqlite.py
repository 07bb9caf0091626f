"""The SQLite file as a copy of the PostgreSQL data set, table by table and column by column as both have them, each value in
the form in which Concord writes it there. Triggers and indexes stand back during the copy and are made again as they were."""

import csv
import contextlib
import sqlite3
import subprocess
import time

from harness.place import HOST, binary

BATCH = 20_000
# A document or a payload may be longer than what the module takes by itself.
csv.field_size_limit(2**31 - 1)
# How a type leaves PostgreSQL; what is not named here leaves as text, and SQLite's column affinity makes numbers of it.
FORMS = {
    "uuid": "encode(uuid_send({0}), 'hex')",
    "bytea": "encode({0}, 'hex')",
    "boolean": "{0}::int",
    "timestamp with time zone": """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00')""",
}
BLOBS = ("uuid", "bytea")


def copy(place, cluster):
    since = time.monotonic()
    for name in place.data.glob("concord.db*"):
        name.unlink()
    subprocess.run([binary(), "--data", str(place.data), "--database-url", place.sqlite_url, "migrate"], check=True)
    with contextlib.closing(sqlite3.connect(place.sqlite, isolation_level=None)) as db:
        # A crash in between means loading again; the server sets its own modes when it opens the file.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -512000"):
            db.execute(f"PRAGMA {pragma}")
        held = db.execute("SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL").fetchall()
        for kind, name, _ in held:
            db.execute(f'DROP {kind} "{name}"')
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' "
                                   "AND name <> 'seaql_migrations'").fetchall():
            rows = _copy_table(db, cluster, place, table)
            if rows:
                print(f"{time.monotonic() - since:7.1f} s  {table}: {rows:,} rows", flush=True)
        for _, _, text in held:
            db.execute(text)
        db.execute("PRAGMA journal_mode = WAL")
    print(f"{time.monotonic() - since:7.1f} s  indexes; {place.sqlite.stat().st_size / 2**20:,.0f} MB", flush=True)


def _copy_table(db, cluster, place, table):
    described = cluster.sql(f"SELECT column_name || '|' || data_type FROM information_schema.columns "
                            f"WHERE table_schema = 'public' AND table_name = '{table}'")
    types = dict(line.split("|") for line in described.splitlines())
    columns = [name for (name,) in db.execute(f"SELECT name FROM pragma_table_info('{table}')") if name in types]
    if not columns:
        return 0
    picked = ", ".join(FORMS.get(types[name], "{0}").format(f'"{name}"') for name in columns)
    blobs = [at for at, name in enumerate(columns) if types[name] in BLOBS]
    insert = f"""INSERT INTO "{table}" ({', '.join(f'"{name}"' for name in columns)}) VALUES ({', '.join('?' * len(columns))})"""
    process = subprocess.Popen(
        ["psql", "-X", "-q", "-h", HOST, "-p", str(place.size.pg_port), "-U", "postgres", "-d", "concord_bench", "-c",
         f"""COPY (SELECT {picked} FROM "{table}") TO STDOUT (FORMAT csv, NULL '\\N')"""], stdout=subprocess.PIPE, text=True)
    rows, batch = 0, []
    db.execute("BEGIN")
    db.execute(f'DELETE FROM "{table}"')
    for row in csv.reader(process.stdout):
        if "\\N" in row:
            row = [None if value == "\\N" else value for value in row]
        for at in blobs:
            if row[at] is not None:
                row[at] = bytes.fromhex(row[at])
        batch.append(row)
        if len(batch) == BATCH:
            db.executemany(insert, batch)
            rows += len(batch)
            batch.clear()
    db.executemany(insert, batch)
    db.execute("COMMIT")
    if process.wait():
        raise SystemExit(f"{table} could not be read")
    return rows + len(batch)
