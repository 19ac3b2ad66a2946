# SPDX-License-Identifier: BSD-3-Clause
"""Figures: what the benchmarks measured, how it is kept, compared with the last time and shown.

A figure is {"value", "low", "high", "unit", "better"}: a median and the spread (minimum and maximum) of
its rounds; better is "more", "less" or "" (neither). A part's figures are a dict by name, in order.
docs/performance.json holds, for each part, its command, when and where it was measured, and its figures.
Markdown files hold blocks between "<!-- bench: NAME -->" and "<!-- /bench -->", made from it.
"""
import json
import re
import statistics

BLOCK = re.compile(r"(<!-- bench: (?P<name>[a-z-]+) -->\n)(?P<text>.*?)(<!-- /bench -->)", re.S)
SAME_SHOWN = 20  # figures that are exactly as before are shown one by one, up to so many
SAME = 0.005  # ratios nearer to 1 are not worth a word


def figure(values, unit, better="more"):
    """Of one round or several."""
    values = [float(value) for value in values]
    return {"value": statistics.median(values), "low": min(values), "high": max(values), "unit": unit,
            "better": better}


def ratio(above, below):
    """Of rounds that were measured in pairs: the median of their own ratios."""
    return figure([a / b for a, b in zip(above, below)], "x")


def save(path, figures, text=None):
    """What a script leaves for tools/bench (--json)."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"figures": figures, "text": text}, file, indent=1)


def number(value):
    """Whole numbers as they are, others with as many decimals as their size asks for."""
    size = abs(value)
    if float(value).is_integer() or size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{1 if size >= 100 else 2 if size >= 1 else 3}f}"


def spread(fig):
    """Such as "7.79 (7.40-8.05)"; without the brackets where all rounds agree. Ratios have two decimals."""
    show = "{:.2f}".format if fig["unit"] == "x" else number
    text, low, high = show(fig["value"]), show(fig["low"]), show(fig["high"])
    return text if low == high == text else f"{text} ({low}-{high})"


def verdict(old, new):
    """What new is, beside old: "better" or "worse" only where the spreads do not meet."""
    if new["low"] <= old["high"] and old["low"] <= new["high"]:
        return ""
    change = "more" if new["value"] > old["value"] else "less"
    if old["value"] and abs(new["value"] / old["value"] - 1) < SAME or not new["better"]:
        return ""
    return "better" if change == new["better"] else "WORSE"


def comparison(old, new, judge=True):
    """One part's lines, old beside new, and how many figures are worse; judge False: none is called so."""
    width = max([len(name) for name in new] + [6])
    same = [name for name, fig in new.items() if name in old and old[name] == fig]
    same = same if len(same) > SAME_SHOWN else []
    lines = [f"  {'figure':{width}} {'':>8} {'old':>26} {'new':>26} {'new/old':>8}"]
    worse = 0
    for name, fig in new.items():
        before = old.get(name)
        if name in same:
            continue
        line = f"  {name:{width}} {fig['unit']:>8} {spread(before) if before else '-':>26} {spread(fig):>26}"
        if before:
            line += f" {fig['value'] / before['value']:8.2f}" if before["value"] else f" {'-':>8}"
            word = verdict(before, fig) if judge else ""
            worse += word == "WORSE"
            line += f"  {word}" if word else ""
        lines.append(line.rstrip())
    lines += [f"  {len(same)} figures are exactly the old ones"] if same else []
    lines += [f"  {name:{width}} {fig['unit']:>8} {spread(fig):>26} {'-':>26}" for name, fig in old.items()
              if name not in new]
    return lines, worse


def take(store, name, part):
    """Puts a part's new figures into the store; what it had goes to "earlier", the last ten times."""
    before = store["parts"].get(name)
    if before:
        earlier = {"measured": before["measured"],
                   "values": {key: fig["value"] for key, fig in before["figures"].items()}}
        part["earlier"] = (before.get("earlier", []) + [earlier])[-10:]
    store["parts"][name] = part


# ---- Markdown ----

OWN_CPU = "MTU 9000, server's TCP on its CPU"
LONG = "MTU 9000, 8 GiB"
LONG_1500 = "MTU 1500, 8 GiB"
CHECKSUM = "checksums by hardware"
SUPER = "super-packets"
LINKS = ("MTU 1500", LONG_1500, "MTU 9000", LONG, OWN_CPU, CHECKSUM, SUPER)  # of link.py


def where(part):
    """The sentence under a table."""
    measured = part["measured"]
    facts = [measured.get(key) for key in ("date", "cpu", "kernel", "dpdk", "note")]
    return f"`{part['command']}`: " + "; ".join(fact for fact in facts if fact) + "."


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def cell(part, name):
    fig = part["figures"].get(name)
    return "" if fig is None else spread(fig) + (" x" if fig["unit"] == "x" else "")


def list_block(part):
    """Each figure in a row."""
    rows = [[name, spread(fig), fig["unit"]] for name, fig in part["figures"].items()]
    return table(["", "median (min-max)", "unit"], rows) + ["", where(part)]


def text_block(part):
    """As the script printed it."""
    return ["```", *part["text"].rstrip("\n").split("\n"), "```", "", where(part)]


def link_rows(part, names):
    return [[link] + [cell(part, f"{link}: {name}") for name in names] for link in LINKS]


def link_block(part):
    """A row for each link; what goes nowhere, then what goes to disk."""
    nowhere = {"dpfetch, null sink": "dpfetch, null sink", "curl -o /dev/null": "`curl -o /dev/null`",
               "dpfetch / curl": "ratio", "poll core busy": "our core busy, %",
               "curl's CPU": "curl's CPU, %",
               "ACK delay p99": "ACK delay p99, us"}
    disk = {"dpfetch to disk": "dpfetch", "curl to disk": "curl", "dpfetch / curl, to disk": "ratio",
            "dpfetch to disk, synced": "dpfetch, synced", "curl to disk, synced": "curl, synced",
            "dpfetch / curl, to disk, synced": "ratio", "fio": "fio",
            "to disk / the smaller of null sink and fio": "dpfetch / smaller of null sink and fio", "null sink while fio writes": "null sink while fio writes", "fio meanwhile": "fio meanwhile",
            "to disk / null sink while fio writes": "dpfetch / that null sink", "poll iteration p99.9, to disk": "poll iteration p99.9, us"}
    return (table(["to nowhere, Gb/s", *nowhere.values()], link_rows(part, nowhere)) + [""] +
            table(["to disk, Gb/s", *disk.values()], link_rows(part, disk)) + ["", where(part)])


def sides_block(part):
    """Figures named "WHAT, WHO", WHO being dpfetch, kernel and so on: a row for WHAT, a column for WHO."""
    whats, whos, units = [], [], {}
    for name, fig in part["figures"].items():
        what, _, who = name.rpartition(", ")
        if what not in whats:
            whats.append(what)
        if who not in whos:
            whos.append(who)
        units.setdefault(what, fig["unit"])
    rows = [[f"{what}, {units[what]}" if units[what] else what] + [cell(part, f"{what}, {who}") for who in whos] for what in whats]
    return table([""] + whos, rows) + ["", where(part)]


def stages_block(part):
    """Instructions by stage, with their shares."""
    total = part["figures"]["in all"]["value"]
    rows = [[name, f"{fig['value']:.1f}", f"{100 * fig['value'] / total:.1f} %"]
            for name, fig in part["figures"].items()]
    return table(["stage", "instructions a segment", "share"], rows) + ["", where(part)]


def rates_block(part):
    """One row for each number of open connections."""
    rows = []
    for count in dict.fromkeys(name.split(" ")[0] for name in part["figures"]):
        names = [f"{count} open: {what}" for what in ("connections a second", "connections, cycles each",
                                                      "responses a second", "responses, cycles each",
                                                      "bytes a connection")]
        rows.append([count] + [cell(part, name) for name in names])
    return table(["open", "connections a second, M", "cycles", "responses a second, M", "cycles",
                  "bytes a connection"], rows) + ["", where(part)]


def history_block(part):
    """What "in all" was each time, the oldest first."""
    times = part.get("earlier", []) + [{"measured": part["measured"], "values": {"in all": part["figures"]["in all"]["value"]}}]
    rows = [[f"`{once['measured'].get('commit', '?')}`", once["measured"].get("date", ""), f"{once['values']['in all']:.1f}"]
            for once in times if "in all" in once["values"]]
    return table(["measured at", "date", "instructions a segment"], rows) + ["", where(part)]


HISTORY = {"profile-history": "profile"}
BLOCKS = {"rates": rates_block, "link": link_block, "compare": sides_block, "disk": sides_block, "compare-file": sides_block, "load": sides_block,
          "goodput": text_block, "goodput-virtual": text_block, "profile": stages_block}


COMBINED = {"others": ("ceiling", "ceiling-64", "lockstep", "lockstep-64", "lossless", "simulation")}


def combined_block(store, names):
    """Several parts with a figure or two each, in one table."""
    rows = []
    for name in names:
        part = store["parts"].get(name)
        for what, fig in part["figures"].items() if part else ():
            rows.append([f"{name}: {what}", f"{spread(fig)} {fig['unit']}", f"`{part['command']}`",
                         part["measured"].get("date", "")])
    return table(["", "median (min-max)", "command", "measured"], rows)


def block(store, name):
    """The block's text, from the store."""
    if name in COMBINED:
        return "\n".join(combined_block(store, COMBINED[name])) + "\n"
    if name in HISTORY:
        return "\n".join(history_block(store["parts"][HISTORY[name]])) + "\n"
    part = store["parts"].get(name)
    if part is None:
        return f"Not measured yet: `sudo tools/bench --only {name} --update`.\n"
    return "\n".join(BLOCKS.get(name, list_block)(part)) + "\n"


def names_of_blocks(markdown):
    return [match["name"] for match in BLOCK.finditer(markdown)]


def rewrite(markdown, store):
    """The document with its blocks made anew."""
    return BLOCK.sub(lambda match: match[1] + block(store, match["name"]) + match[4], markdown)
