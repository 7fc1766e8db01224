"""How a figure is taken: load, processor time and memory of a process tree, sides in turn, ratios."""

import os
import re
import statistics
import subprocess
from pathlib import Path

CONNECTIONS = 32
TICKS = os.sysconf("SC_CLK_TCK")


def tree(root):
    """The process and all below it: pid -> the fields of its stat from the state on."""
    table = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            table[int(stat.parent.name)] = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
    members, found = {root}, True
    while found:
        found = {pid for pid, fields in table.items() if int(fields[1]) in members} - members
        members |= found
    return {pid: table[pid] for pid in members if pid in table}


def processor_seconds(root):
    """Of the tree, with the children that have ended (pgbench's backends)."""
    processes = tree(root)
    ticks = sum(int(fields[11]) + int(fields[12]) for fields in processes.values())
    return (ticks + int(processes[root][13]) + int(processes[root][14])) / TICKS


def _kib(pid, name):
    try:
        return int(re.search(name + r":\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))
    except OSError:
        return 0


def resident_kib(root):
    return sum(_kib(pid, "VmRSS") for pid in tree(root))


class Peak:
    """The highest resident memory of one process from now on."""

    def __init__(self, pid):
        self.pid = pid
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the mark falls to what is resident now
        self.before = _kib(pid, "VmHWM")

    def growth_kib(self):
        return _kib(self.pid, "VmHWM") - self.before


def wrk(url, seconds, headers=(), connections=CONNECTIONS):
    """One figure: requests a second and latencies. Anything but a 2xx or 3xx, or a broken connection, fails."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10", "--latency"]
    for header in headers:
        words += ["-H", header]
    text = subprocess.run(words + [url], check=True, text=True, capture_output=True, timeout=seconds + 60).stdout
    trouble = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", text)
    assert not trouble, f"{url}: {trouble.group(0)}"
    figure = {"rate": float(re.search(r"Requests/sec:\s+([0-9.]+)", text).group(1)),
              "count": int(re.search(r"(\d+) requests in", text).group(1))}
    for share in ("50", "99"):
        value, unit = re.search(rf"{share}%\s+([0-9.]+)(us|ms|s)", text).groups()
        figure[f"p{share}_ms"] = float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    return figure


def spent(measure, trees):
    """Adds the processor time a request costs in each tree: name -> pid."""
    before = {name: processor_seconds(pid) for name, pid in trees.items()}
    figure = measure()
    for name, pid in trees.items():
        figure[f"{name}_us"] = round((processor_seconds(pid) - before[name]) / figure["count"] * 1e6, 1)
    return figure


def alternate(sides, rounds, seconds):
    """side -> figures of every round: A B C A B C ..., after a warm-up of a second each that is thrown away."""
    figures = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, measure in sides.items():
            figure = measure(seconds if turn else 1)
            if turn:
                figures[name].append(figure)
        print(f"  round {turn} of {rounds}" if turn else "  warm", flush=True)
    return figures


def median(figures, side, what="rate"):
    return statistics.median(figure[what] for figure in figures[side])


def ratio(figures, ours, theirs):
    """(median, least, most) of the ratios of each round."""
    ratios = [a["rate"] / b["rate"] for a, b in zip(figures[ours], figures[theirs])]
    return statistics.median(ratios), min(ratios), max(ratios)
