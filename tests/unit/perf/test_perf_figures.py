# SPDX-License-Identifier: BSD-3-Clause
"""tools/bench: what it makes of outputs, how it compares, and that the documents say what its store says."""
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests/perf"))
import bench  # noqa: E402
import figures  # noqa: E402
import parts  # noqa: E402
import stacks  # noqa: E402

CEILING = """18.85 Mseg/s, 218.4 Gb/s of body, {} busy cycles a segment (130 with idle), busy 98 %
"""
RATES = """1000 connections, 4080 bytes each
connections: 0.750 M a second a core (0.700-0.810 in 5 runs), 3050 cycles each, 3.1 frames sent each; server model included
responses:   2.400 M a second a core (2.300-2.500 in 5 runs), 960 cycles each, 1.0 frames sent each; server model included
the server model's answer to a request: 25 cycles, its caches warm
"""
SINK = """discard                        7.79 GB/s  writer busy  21 %  poll core  66 ns a write  discard
disk, io_uring alone           1.50 GB/s  ordinary pages
disk, io_uring alone           1.70 GB/s  ordinary pages
disk, io_uring alone           1.60 GB/s  ordinary pages
"""
PROFILE = """stage                                instructions   share
lookup: netstack                            120.8   31.3 %
rx, tx: port                                 80.1   20.8 %
in all, a segment                           385.8
"""
VIRTUAL = """Goodput in Mb/s, and as a fraction of the least of cable, window (16 MiB) and Mathis
loss   RTT   Mathis     PFTK        10 Mb/s       100 Mb/s
   %    ms
    0   0.1        -        -     9.56  1.00    95.64  1.00
 0.01    50    28.37    28.34     9.56  1.00    24.67  0.87
"""


def line(median, low, high):
    return {"median": median, "low": low, "high": high}


class Parsing(unittest.TestCase):
    def test_ceiling_several_runs_give_median_and_spread(self):
        result = parts.parse_ceiling([CEILING.format(cycles) for cycles in (129, 126, 128)])
        self.assertEqual(result["busy cycles a segment"],
                         {"value": 128, "low": 126, "high": 129, "unit": "cycles", "better": "less"})
        self.assertEqual(result["segments a second"]["value"], 18.85)

    def test_lockstep_cycles_are_read(self):
        result = parts.parse_lockstep(["640000 segments, 87 busy cycles a segment\n"])
        self.assertEqual(result["busy cycles a segment"]["value"], 87)

    def test_rates_keep_the_spread_that_the_benchmark_found(self):
        result = parts.parse_rates({1000: RATES})
        self.assertEqual(result["1,000 open: connections a second"]["high"], 0.81)
        self.assertEqual(result["1,000 open: responses, cycles each"]["value"], 960)
        self.assertEqual(result["1,000 open: bytes a connection"]["value"], 4080)

    def test_sink_rounds_of_one_name_are_one_figure(self):
        result = parts.parse_sink(SINK)
        self.assertEqual(list(result), ["discard", "disk, io_uring alone"])
        self.assertEqual(figures.spread(result["disk, io_uring alone"]), "1.60 (1.50-1.70)")

    def test_profile_has_its_stages_and_their_sum(self):
        result = parts.parse_profile(PROFILE)
        self.assertEqual(list(result), ["lookup: netstack", "rx, tx: port", "in all"])
        self.assertEqual(result["in all"]["value"], 385.8)

    def test_virtual_table_has_a_figure_for_each_cell(self):
        result = parts.parse_virtual(VIRTUAL)
        self.assertEqual(len(result), 4)
        self.assertEqual(result["loss 0.01 %, RTT 50 ms, 100 Mb/s"]["value"], 24.67)

    def test_simulation_and_lossless_count_what_passed(self):
        text = "5 seeds: 783248 bytes exact, 18 frames lost, 42 segments sent again by the server\n"
        self.assertEqual(parts.parse_simulation(text)["bad networks byte-exact"]["value"], 5)
        result = parts.parse_lossless("ok x\nintegration: 1 passed, 0 failed\n", 20)
        self.assertEqual(list(result.values())[0]["value"], 20)

    def test_output_without_figures_is_a_failure_not_a_zero(self):
        for parse, text in ((parts.parse_ceiling, ["nothing"]), (parts.parse_rates, {1000: ""}), (parts.parse_sink, ""),
                            (parts.parse_profile, ""), (parts.parse_virtual, ""), (parts.parse_simulation, "FAILED")):
            with self.assertRaises(parts.Failed):
                parse(text)
        with self.assertRaises(parts.Failed):
            parts.parse_lossless("integration: 0 passed, 1 failed", 20)

    def test_compare_reports_become_figures_by_side(self):
        sides = {"dpfetch": line(9e9, 8e9, 10e9), "kernel": line(6e9, 5e9, 7e9), "ratio": line(1.5, 1.4, 1.6)}
        nothing = {"dpfetch": line(0, 0, 0), "kernel": line(0, 0, 0), "ratio": line(None, None, None)}
        load = stacks.of_load({"summary": {"goodput_bps": sides, "server_retransmits": nothing}})
        self.assertEqual(figures.spread(load["goodput, dpfetch"]), "9 (8-10)")
        self.assertEqual(load["goodput, ratio"]["unit"], "x")
        self.assertNotIn("the server sent again, ratio", load)
        file = stacks.of_file({"summary": {"goodput_bps": sides}, "null_sink": {"summary": {"goodput_bps": sides}},
                               "ratios": {"file_to_null": {"curl": line(0.4, 0.3, 0.5)}}})
        self.assertEqual(file["file / nowhere, curl"]["value"], 0.4)
        self.assertEqual(file["to the file, kernel"]["low"], 5)


class Comparing(unittest.TestCase):
    def test_only_spreads_that_do_not_meet_are_better_or_worse(self):
        old = figures.figure([7, 8, 9], "Gb/s")
        self.assertEqual(figures.verdict(old, figures.figure([9, 10, 11], "Gb/s")), "")
        self.assertEqual(figures.verdict(old, figures.figure([10, 11, 12], "Gb/s")), "better")
        self.assertEqual(figures.verdict(old, figures.figure([4, 5, 6], "Gb/s")), "WORSE")
        self.assertEqual(figures.verdict(figures.figure([87], "cycles", "less"), figures.figure([99], "cycles", "less")),
                         "WORSE")
        self.assertEqual(figures.verdict(figures.figure([87], "us", ""), figures.figure([99], "us", "")), "")

    def test_old_stands_beside_new_with_the_ratio(self):
        lines, worse = figures.comparison({"rate": figures.figure([8], "Gb/s"), "gone": figures.figure([1], "x")},
                                          {"rate": figures.figure([4], "Gb/s"), "fresh": figures.figure([2], "x")})
        self.assertEqual(worse, 1)
        self.assertRegex(lines[1], r"rate +Gb/s +8 +4 +0\.50  WORSE")
        lines_unjudged, none = figures.comparison({"rate": figures.figure([8], "Gb/s")},
                                                  {"rate": figures.figure([4], "Gb/s")}, judge=False)
        self.assertEqual(none, 0)
        self.assertTrue(lines_unjudged[1].endswith("0.50"))
        self.assertRegex(lines[2], r"fresh +x +- +2\.00$")
        self.assertRegex(lines[3], r"gone +x +1\.00 +-$")

    def test_a_long_table_that_has_not_changed_is_one_line(self):
        many = {f"cell {i}": figures.figure([i], "Mb/s") for i in range(100)}
        changed = dict(many, **{"cell 7": figures.figure([70], "Mb/s")})
        lines, _ = figures.comparison(many, changed)
        self.assertEqual(len(lines), 3)
        self.assertIn("99 figures are exactly the old ones", lines[2])

    def test_ratio_is_the_median_of_the_pairs_own(self):
        self.assertEqual(figures.ratio([1, 4, 9], [1, 2, 3])["value"], 2)

    def test_numbers_show_as_many_decimals_as_they_need(self):
        self.assertEqual([figures.number(n) for n in (0, 0.6412, 7.789, 385.83, 128.0, 137595.2, 50000)],
                         ["0", "0.641", "7.79", "385.8", "128", "137,595", "50,000"])

    def test_what_was_measured_before_is_kept(self):
        store = {"parts": {}}
        for i in range(12):
            figures.take(store, "ceiling", {"measured": {"date": str(i)}, "figures": {"x": figures.figure([i], "")}})
        earlier = store["parts"]["ceiling"]["earlier"]
        self.assertEqual([entry["values"]["x"] for entry in earlier], list(range(1, 11)))


class Counts(unittest.TestCase):
    def test_each_count_is_named_as_it_was_asked_for(self):
        segments = [f"a segment, --connections {how}" for how in ("1", "64", "64 --run 8", "64 --run 1")]
        lines = [f"{name}    563.1" for name in segments] + ["connections     9620", "responses   3731"]
        got = parts.parse_counts("\n".join(lines))
        self.assertEqual({name: fig["value"] for name, fig in got.items()},
                         {**dict.fromkeys(segments, 563.1), "connection": 9620, "response": 3731})
        with self.assertRaises(parts.Failed):
            parts.parse_counts("\n".join(lines[1:]))

    def test_history_goes_from_the_oldest_to_now(self):
        part = {"command": "c", "measured": {"commit": "new", "date": "today"},
                "figures": {"in all": figures.figure([368.1], "instructions")},
                "earlier": [{"measured": {"commit": "old", "date": "then"}, "values": {"in all": 386.8}},
                            {"measured": {"commit": "other"}, "values": {"tcp": 1}}]}
        text = figures.block({"parts": {"profile": part}}, "profile-history")
        self.assertEqual(text.count("| `"), 2)
        self.assertLess(text.index("`old` | then | 386.8"), text.index("`new` | today | 368.1"))


class Running(unittest.TestCase):
    """tools/bench's main with parts that measure nothing, in a repository of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="dpfetch-test-")
        self.addCleanup(folder.cleanup)
        self.store = os.path.join(folder.name, "performance.json")
        with open(self.store, "w", encoding="ascii") as file:
            json.dump({"schema": 1, "parts": {}}, file)
        for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "x")):
            subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *words], cwd=folder.name, check=True)
        fakes = [parts.Part(name, "what", "command", 1.5, lambda quick, rounds: ({"x": figures.figure([1], "")}, None))
                 for name in ("first", "second")]
        for target, name, value in ((bench, "STORE", self.store), (bench, "DOCUMENTS", ()), (parts, "TOP", folder.name),
                                    (parts, "PARTS", fakes), (bench, "warn_if_busy", lambda: 0.0)):
            patch = unittest.mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    @staticmethod
    def run_main(*args):
        out = io.StringIO()
        with unittest.mock.patch.object(sys, "argv", ["bench", *args]), contextlib.redirect_stdout(out):
            assert bench.main() == 0, out.getvalue()
        return out.getvalue()

    def test_update_of_a_clean_tree_names_the_same_clean_commit_in_each_part(self):
        self.run_main("--update")
        with open(self.store, encoding="utf-8") as file:
            commits = [part["measured"]["commit"] for part in json.load(file)["parts"].values()]
        self.assertEqual(len(commits), 2)
        self.assertRegex(commits[0], r"^[0-9a-f]{4,}$")
        self.assertEqual(commits[1], commits[0])

    def test_list_adds_up_how_long_it_takes(self):
        self.assertRegex(self.run_main("--list").splitlines()[-1], r"^in all +3\.0 min$")


class Documents(unittest.TestCase):
    def setUp(self):
        self.store = bench.read_store()

    def test_blocks_are_made_anew_and_the_rest_stays(self):
        before = "a\n<!-- bench: lockstep -->\nold\n<!-- /bench -->\nb\n"
        store = {"parts": {"lockstep": {"command": "c", "measured": {"date": "today"},
                                        "figures": {"cycles": figures.figure([86, 87], "cycles")}}}}
        after = figures.rewrite(before, store)
        self.assertTrue(after.startswith("a\n<!-- bench: lockstep -->\n| ") and after.endswith("<!-- /bench -->\nb\n"))
        self.assertIn("| cycles | 86.50 (86-87) | cycles |", after)
        self.assertIn("`c`: today.", after)
        self.assertEqual(figures.rewrite(after, store), after)

    def test_documents_say_what_the_store_says(self):
        for name in bench.DOCUMENTS:
            with open(os.path.join(TOP, name), encoding="utf-8") as file:
                text = file.read()
            self.assertTrue(figures.names_of_blocks(text), name)
            self.assertEqual(text, figures.rewrite(text, self.store), f"{name}: tools/bench --documents mends it")

    def test_every_part_is_shown_and_has_its_command(self):
        names = [part.name for part in parts.PARTS]
        self.assertEqual(len(set(names)), len(names))
        shown = set()
        for name in bench.DOCUMENTS:
            with open(os.path.join(TOP, name), encoding="utf-8") as file:
                shown.update(figures.names_of_blocks(file.read()))
        for combined in shown & set(figures.COMBINED):
            shown.update(figures.COMBINED[combined])
        self.assertLessEqual(set(names), shown)
        for part in parts.PARTS:
            if part.name in self.store["parts"]:
                self.assertEqual(self.store["parts"][part.name]["command"], part.command)
        self.assertLessEqual(set(self.store["parts"]), set(names))

    def test_help_says_how_long_all_parts_take(self):
        with open(os.path.join(TOP, "tools/bench"), encoding="utf-8") as file:
            self.assertIn("About an hour", file.read())
        self.assertEqual(round(sum(part.minutes for part in parts.PARTS) / 60), 1)

    def test_store_is_json_of_figures(self):
        for part in json.loads(json.dumps(self.store))["parts"].values():
            for name, fig in part["figures"].items():
                self.assertLessEqual(fig["low"], fig["value"], name)
                self.assertLessEqual(fig["value"], fig["high"], name)
                self.assertIn(fig["better"], ("more", "less", ""))


if __name__ == "__main__":
    unittest.main()
