# SPDX-License-Identifier: BSD-3-Clause
"""Several queues of a NIC that hashes by RSS: each worker chooses ports whose answers its own queue gets."""
import json

from guest import FILES, WORK, run, say

MACHINE = "--nic virtio --nic vmxnet3 --queues 2 --cpus 3 --iommu on"


def bench(guest, *args):
    index = guest.nic("virtio")
    before = guest.retransmitted()
    command = guest.command(index, "bench", "--stats", f"{WORK}/bench", *args)
    result = run(*command, check=False, timeout=120)
    assert result.returncode == 0, f"exit {result.returncode}: {result.stderr}{result.stdout}"
    with open(f"{WORK}/bench", encoding="utf-8") as file:
        stats = json.load(file)
    end = stats["end"]
    say(f"steering {end['steering']}: " + ", ".join(
        f"worker {i}: {w['responses']} answers, self-test: {w['self_test']}, wrong queue {w['wrong_queue']}"
        for i, w in enumerate(end["workers"])) + f"; {guest.retransmitted() - before} sent again by the server")
    return end, result.stderr


def check_all_on_their_own(end, requests):
    assert end["counts"]["status"]["2xx"] == requests and not any(end["counts"]["errors"].values()), end["counts"]
    assert end["steering"] == "rss", end["steering"]
    for worker in end["workers"]:
        assert worker["responses"] == requests // 2 and worker["self_test"] == "own queue", worker
        assert worker["wrong_queue"] == worker["handed_over"] == 0, worker


def test_rss_gives_two_workers_their_own_answers(guest):
    end, _ = bench(guest, "--cores", "1,2", "-c", "20", "-n", "400", f"http://{guest.server_ip(0)}/hello.txt")
    check_all_on_their_own(end, 400)


def test_rss_by_ipv6_gives_two_workers_their_own_answers(guest):
    end, _ = bench(guest, "--cores", "1,2", "-c", "10", "-n", "200", "--address6", "2001:2:0:0::2/64",
                   "http://[2001:2::1]/hello.txt")
    check_all_on_their_own(end, 200)


def test_rss_large_bodies_are_whole(guest):
    end, _ = bench(guest, "--cores", "1,2", "-c", "4", "-n", "8", f"http://{guest.server_ip(0)}/small")
    check_all_on_their_own(end, 8)
    assert end["counts"]["body_bytes"] == 8 * FILES["small"], end["counts"]
