"""The table: medians over the rounds, and what they are of the database's limit and of the peer."""

import statistics


def middle(rows, server, op, key):
    """The median of a figure over the rounds, where there is any."""
    values = [row[key] for row in rows if row["kind"] == "run" and row["server"] == server and row["op"] == op]
    return statistics.median(values) if values else None


def line(row):
    """One measurement, as it comes."""
    if row["kind"] == "steady":
        return (f"{row['op']} {row['server']:16} open loop: unloaded p50 {row['unloaded_p50']:.2f} ms; at {row['rate']:.0f} rps p50 "
                f"{row['p50']:.2f} p95 {row['p95']:.2f} p99 {row['p99']:.2f} ms  errors {row['errors']}")
    if row["kind"] == "S1":
        return (f"S1 {row['server']:16} {row['subscribers']} subscribers, {row['mutations']} transitions beside {row['load_rps']} rps: "
                f"p50 {row['p50']} p95 {row['p95']} p99 {row['p99']} ms, {row['missing']} missing, {row['twice']} twice")
    if row["kind"] == "N1":
        return f"N1 {row['server']:16} {row['seconds']:.1f} s  {' '.join(row['says'])}"
    return (f"{row['op']} {row['server']:16} {row['rps']:8.0f} rps  cap {row['cap']:8.0f}  us: server {row['server_us']:6.0f} "
            f"database {row['database_us']:6.0f} generator {row['generator_us']:4.0f}  p50 {row['p50']:.2f} p99 {row['p99']:.2f} ms  "
            f"{row['bytes']:.0f} bytes  foreign {row['foreign']:.2f} cores  errors {row['errors']}")


def table(rows):
    lines = []
    runs = [row for row in rows if row["kind"] == "run"]
    for op in dict.fromkeys(row["op"] for row in runs):
        names = list(dict.fromkeys(row["server"] for row in runs if row["op"] == op))
        at = lambda name, key: middle(rows, name, op, key)
        limit = max((at(name, "cap") for name in names if name.startswith("pgbench")), default=None)
        peer = max((at(name, "cap") for name in names if name.startswith("postgraphile")), default=None)
        lines += [f"\n{op}", "| server | rps | cap | server µs | database µs | generator µs | p50 ms | p95 ms | p99 ms | bytes "
                  "| SQL | memory MB | start ms | of limit | × peer |", "|" + "---|" * 15]
        for name in names:
            cap, start, statements = at(name, "cap"), at(name, "start_ms"), at(name, "statements")
            lines.append(
                f"| {name} | {at(name, 'rps'):,.0f} | {cap:,.0f} | {at(name, 'server_us'):.0f} | {at(name, 'database_us'):.0f} | "
                f"{at(name, 'generator_us'):.0f} | {at(name, 'p50'):.2f} | {at(name, 'p95'):.2f} | {at(name, 'p99'):.2f} | "
                f"{at(name, 'bytes'):.0f} | {f'{statements:.1f}' if statements else ''} | {at(name, 'memory_mb'):.0f} | "
                f"{f'{start:.0f}' if start else ''} | {f'{cap / limit:.0%}' if limit else ''} | {f'{cap / peer:.1f}' if peer else ''} |")
    rest = [line(row) for row in rows if row["kind"] != "run"]
    return "\n".join([*lines, "", *rest])
