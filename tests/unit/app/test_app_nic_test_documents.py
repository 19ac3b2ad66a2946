# SPDX-License-Identifier: BSD-3-Clause
"""What nic test's documents are to parsers that are not ours: JUnit XML, HTML and JSON of results whose names
and texts would break them. Named by the first argument: the program that writes them (nic_test_documents.c)."""
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

R = "\ufffd"
# As nic_test_documents.c has it, with what XML forbids and what is no UTF-8 replaced.
HOSTILE = f"\"q\" 'a' <b>&amp;</b> ]]> --> </system-out> {R}{R}[31m {R}{R}{R} \u00e4 {R}"
VOID = {"meta"}


class Page(html.parser.HTMLParser):
    """Elements must nest; keeps what is in cells, and every tag with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.cells, self.tags, self.summaries, self.text = [], [], [], [], ""
        self.feed(text)
        self.close()
        self.cells = [cell.strip() for cell in self.cells]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")
        if tag == "summary":
            self.summaries.append("")

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if "summary" in self.open:
            self.summaries[-1] += data
        if "td" in self.open:
            self.cells[-1] += data


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([PROGRAM, folder], check=True)
            cls.content = {}
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), "rb") as file:
                    cls.content[name] = file.read()

    def junit(self, name):
        root = xml.etree.ElementTree.fromstring(self.content[name])
        self.assertEqual(root.tag, "testsuites")
        suites = root.findall("testsuite")
        self.assertEqual(len(suites), 1)
        return root, suites[0]

    def test_junit_counts_are_those_of_its_elements(self):
        for name, tests, failures, skipped in (("hostile.xml", 5, 2, 2), ("empty.xml", 0, 0, 0)):
            root, suite = self.junit(name)
            for element in root, suite:
                self.assertEqual([element.get(key) for key in ("tests", "failures", "errors", "skipped")],
                                 [str(tests), str(failures), "0", str(skipped)])
            self.assertEqual([len(suite.findall(path)) for path in ("testcase", "testcase/failure",
                                                                    "testcase/skipped")],
                             [tests, failures, skipped])

    def test_junit_times_are_seconds_and_the_timestamp_has_no_zone(self):
        root, suite = self.junit("hostile.xml")
        self.assertEqual((root.get("time"), suite.get("time")), ("132.400", "132.400"))
        self.assertEqual(suite.get("timestamp"), "2026-11-29T13:58:12")
        self.assertEqual([case.get("time") for case in suite.findall("testcase")][:2], ["12.346", "1.500"])
        self.assertIsNone(self.junit("empty.xml")[1].get("timestamp"))

    def test_junit_failure_has_text_and_the_cases_to_blame(self):
        case = self.junit("hostile.xml")[1].findall("testcase")[0]
        failure = case.find("failure")
        self.assertEqual((case.get("name"), failure.get("type")), ("mtu", "FAIL"))
        self.assertEqual(failure.get("message"), "9000 <bytes>: nothing came")
        self.assertEqual(failure.text, "9000 <bytes>: nothing came\nFAIL     9000 <bytes>: nothing came\n")
        self.assertEqual(case.find("system-out").text.splitlines()[1:],
                         ["PASS     1500 bytes: answered", "FAIL     9000 <bytes>: nothing came",
                          "         mtu_bytes: 1500"])

    def test_junit_skipped_says_why_and_a_pass_what_was_found(self):
        cases = self.junit("hostile.xml")[1].findall("testcase")
        self.assertEqual(cases[2].find("skipped").get("message"), "2 queues: the driver has one")
        self.assertEqual([child.tag for child in cases[1]], ["system-out"])
        self.assertEqual(cases[1].find("system-out").text, "10000 Mb/s\n")

    def test_junit_hostile_text_comes_back_without_what_xml_forbids(self):
        suite = self.junit("hostile.xml")[1]
        cases = suite.findall("testcase")
        self.assertEqual(cases[3].get("name"), f"<i>{R}{R}")
        self.assertEqual(cases[3].find("failure").get("message"), HOSTILE)
        self.assertEqual(cases[3].find("failure").text.splitlines()[0], HOSTILE)
        self.assertEqual(cases[3].find("system-out").text.splitlines()[1], f'FAIL     <"&]]>{R}{R}: {HOSTILE}')
        # A parser makes a blank of an attribute's line end.
        self.assertEqual(cases[4].find("skipped").get("message"), f"{HOSTILE} {R}{R}")

    def test_junit_class_is_the_nics_and_its_dots_make_no_package(self):
        suite = self.junit("hostile.xml")[1]
        expected = f'dpfetch.nic_test.0000:00:03_0,<"&{R}{R}'
        self.assertEqual(suite.get("name"), expected)
        self.assertEqual({case.get("classname") for case in suite.findall("testcase")}, {expected})

    def test_junit_properties_are_of_the_environment_once_each(self):
        properties = self.junit("hostile.xml")[1].findall("properties/property")
        self.assertEqual([(each.get("name"), each.get("value")) for each in properties],
                         [("nic", f'0000:00:03.0,<"&{R}{R}'), ("url", f'http://198.18.0.1/<"&{R}'),
                          ("driver", 'net_<&"x"'), ("mtu", "1500"), ("lro", "true")])

    def test_html_elements_nest_and_fetch_nothing(self):
        for name in "hostile.html", "empty.html":
            page = Page(self.content[name].decode("utf-8"))
            self.assertEqual(page.open, [])
            self.assertFalse({"script", "link", "img", "iframe", "b", "i"} & {tag for tag, _ in page.tags})
            for _, attributes in page.tags:
                self.assertLessEqual(set(attributes), {"lang", "charset", "name", "content", "class", "open"})
            self.assertNotIn(b"url(", self.content[name])

    def test_html_hostile_text_is_shown_as_it_is(self):
        page = Page(self.content["hostile.html"].decode("utf-8"))
        self.assertIn(f"<i>{R}{R}", page.cells)
        self.assertEqual(page.cells.count(HOSTILE), 2)  # of two cases
        self.assertIn(f'<"&]]>{R}{R}', page.cells)
        self.assertIn(f"a<b{R}", page.cells)
        self.assertIn('net_<&"x"', page.cells)
        self.assertIn(f'Acceptance test of 0000:00:03.0,<"&{R}{R}', page.text)
        self.assertNotIn("secret", page.text)

    def test_html_has_verdicts_and_opens_the_cases_of_failures(self):
        page = Page(self.content["hostile.html"].decode("utf-8"))
        self.assertIn("FAIL: 1 passed, 2 failed, 2 skipped in 132 s", page.text)
        self.assertIn(("td", {"class": "SKIPPED"}), page.tags)
        self.assertEqual([attributes for tag, attributes in page.tags if tag == "details"],
                         [{"open": None}, {}, {"open": None}])
        self.assertEqual(page.summaries, ["2 cases, 1 figure", "1 case", "2 cases, 1 figure"])
        self.assertNotIn("Environment", Page(self.content["empty.html"].decode("utf-8")).text)

    def test_html_style_has_no_class_undefined(self):
        text = self.content["hostile.html"].decode("utf-8")
        styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
        for _, attributes in Page(text).tags:
            for name in attributes.get("class", "").split():
                self.assertRegex(styles, rf"\.{name}\b")

    def test_json_hostile_text_is_read_as_latin_1(self):
        tests = json.loads(self.content["hostile.json"].decode("utf-8"))["tests"]
        self.assertEqual(tests[3]["name"], "<i>\x01\u00ff")
        self.assertEqual(tests[3]["cases"][0]["name"], '<"&]]>\x01\u00ff')
        self.assertEqual(tests[3]["values"], {"a<b\u00ff": 1.25})
        self.assertTrue(tests[3]["text"].startswith("\"q\" 'a' <b>&amp;</b> ]]> --> </system-out> \x01\x1b[31m"))
        self.assertEqual(json.loads(self.content["empty.json"])["verdict"], "fail")

    def test_no_document_has_the_password(self):
        for name, content in self.content.items():
            self.assertNotIn(b"secret", content, name)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
