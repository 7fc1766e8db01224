"""results.json as a Markdown page."""

from bench.measure import median

COLUMNS = (("rate", "requests/s", "{:,.0f}"), ("p50_ms", "p50 ms", "{:.2f}"), ("p99_ms", "p99 ms", "{:.1f}"),
           ("server_us", "server µs/request", "{:.0f}"), ("postgres_us", "PostgreSQL µs/request", "{:.0f}"))


def goals_table(goals):
    lines = ["| goal | what | measured | rounds | wanted | reached |", "| --- | --- | ---: | --- | --- | --- |"]
    for name in sorted(goals, key=lambda goal: int(goal[1:])):
        goal = goals[name]
        floor, ceiling = goal.get("floor"), goal.get("ceiling")
        reached = goal["value"] >= floor if floor is not None else goal["value"] <= ceiling
        wanted = f"at least {floor}" if floor is not None else f"at most {ceiling}"
        spread = "{:.2f} to {:.2f}".format(*goal["spread"]) if "spread" in goal else ""
        value = f"{goal['value']:.2f}{goal.get('unit', '')}"
        lines.append(f"| {name} | {goal['what']} | {value} | {spread} | {wanted} | {'yes' if reached else '**no**'} |")
    return lines


def sides_table(title, figures):
    lines = [f"## {title}", "", "Medians over the rounds.", "",
             "| side | " + " | ".join(head for _, head, _ in COLUMNS) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for side in sorted(figures, key=lambda name: -median(figures, name)):
        cells = [form.format(median(figures, side, key)) if key in figures[side][0] else "" for key, _, form in COLUMNS]
        lines.append(f"| {side} | " + " | ".join(cells) + " |")
    return lines + [""]


def markdown(results):
    machine = results["machine"]
    lines = ["# Benchmark", "",
             f"{machine['at']}; {machine['cores']} cores ({machine['processor']}), load average {machine['load_before']} "
             f"before and {machine['load_after']} after; {results['rounds']} rounds of {results['seconds']} s. Load "
             "generator, servers and PostgreSQL share the cores: ratios of sides of one run mean something, absolute "
             "figures do not.", "", *goals_table(results["goals"]), ""]
    for title, figures in results["figures"].items():
        lines += sides_table(title, figures)
    if "memory_kib" in results:
        lines += ["## Resident memory after (b)", "", "| side | MiB |", "| --- | ---: |"]
        lines += [f"| {side} | {kib / 1024:.1f} |" for side, kib in sorted(results["memory_kib"].items(), key=lambda x: x[1])]
        lines += [""]
    if "export" in results:
        export = results["export"]
        lines += ["## Export", "", f"{export['megabytes']:.1f} MB of CSV in {export['seconds']:.2f} s "
                  f"({export['megabytes'] / export['seconds']:.1f} MB/s), first byte after {export['first_byte_ms']:.0f} ms "
                  "(medians).", ""]
    return "\n".join(lines)
