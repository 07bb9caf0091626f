"""The table: medians over the rounds, and what they are of the database's limit and of the peer."""

import statistics


def line(row):
    return (f"{row['op']} {row['server']:16} {row['rps']:8.0f} rps  cap {row['cap']:8.0f}  us: server {row['server_us']:6.0f} "
            f"database {row['database_us']:6.0f} generator {row['generator_us']:4.0f}  p50 {row['p50']:.2f} p99 {row['p99']:.2f} ms  "
            f"{row['bytes']:.0f} bytes  foreign {row['foreign']:.2f} cores  errors {row['errors']}")


def table(rows):
    lines = []
    for op in dict.fromkeys(row["op"] for row in rows):
        of_op = [row for row in rows if row["op"] == op]
        names = list(dict.fromkeys(row["server"] for row in of_op))
        middle = lambda name, key: statistics.median(row[key] for row in of_op if row["server"] == name)
        limit = max([middle(name, "cap") for name in names if name.startswith("pgbench")], default=None)
        peer = max([middle(name, "cap") for name in names if name.startswith("postgraphile")], default=None)
        lines += [f"\n{op}", "| server | rps | cap | server µs | database µs | generator µs | p50 ms | p95 ms | p99 ms | bytes "
                  "| memory MB | start ms | of limit | × peer |", "|" + "---|" * 14]
        for name in names:
            cap = middle(name, "cap")
            start = "" if name.startswith("pgbench") else f"{middle(name, 'start_ms'):.0f}"
            lines.append(
                f"| {name} | {middle(name, 'rps'):,.0f} | {cap:,.0f} | {middle(name, 'server_us'):.0f} | "
                f"{middle(name, 'database_us'):.0f} | {middle(name, 'generator_us'):.0f} | {middle(name, 'p50'):.2f} | "
                f"{middle(name, 'p95'):.2f} | {middle(name, 'p99'):.2f} | {middle(name, 'bytes'):.0f} | "
                f"{middle(name, 'memory_mb'):.0f} | {start} | {f'{cap / limit:.0%}' if limit else ''} | "
                f"{f'{cap / peer:.1f}' if peer else ''} |")
    return "\n".join(lines)
