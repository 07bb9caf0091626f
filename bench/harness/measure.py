"""CPU and memory of processes, from /proc. What a process's ended children used counts as its own, so that database
backends that came and went are not lost."""

import os

TICKS = os.sysconf("SC_CLK_TCK")


def _processes():
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return found


def _tree(root, processes):
    below = {}
    for pid, (parent, _) in processes.items():
        below.setdefault(parent, []).append(pid)
    tree, waiting = set(), [root]
    while waiting:
        pid = waiting.pop()
        if pid in processes and pid not in tree:
            tree.add(pid)
            waiting.extend(below.get(pid, []))
    return tree


def cpu(root):
    """Seconds that the tree under a process has used, ended children included."""
    processes = _processes()
    return sum(processes[pid][1] for pid in _tree(root, processes)) / TICKS


def memory(root):
    """Proportional set size of the tree, in MB."""
    total = 0
    for pid in _tree(root, _processes()):
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            continue
    return total / 1024


def machine():
    """Seconds that all cores of the machine have worked."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = list(map(int, file.readline().split()[1:9]))
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def ended_children():
    """Seconds that this process's own ended children used: the load generators."""
    times = os.times()
    return times.children_user + times.children_system
