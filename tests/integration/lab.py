# SPDX-License-Identifier: BSD-3-Clause
"""The lab of the integration tests: tools/lab, a lossy middle, real servers and dpfetch runs."""
import contextlib
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import stuck

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER_IP = "198.18.0.1"
ADDRESS = "198.18.0.2/24"
NIC = "c0"
MAC = "02:00:5e:12:00:02"


def sha256_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def run(*args, **kw):
    subprocess.run(args, check=True, capture_output=True, **kw)


@contextlib.contextmanager
def client_etc(lab, **files):
    """Files of /etc as programs in the client's namespace see them (ip-netns(8))."""
    folder = f"/etc/netns/{lab.client}"
    os.makedirs(folder)
    try:
        for name, text in files.items():
            with open(os.path.join(folder, name.replace("_", ".")), "w", encoding="ascii") as file:
                file.write(text)
        yield
    finally:
        shutil.rmtree(folder)


class Lab:
    """One server and one client namespace. A context manager: leaves nothing behind."""

    def __init__(self, name, mtu=1500, size=0, loss_percent=0, vlan_id=0, ipv6=False,
                 offloads="off"):
        self.offloads = offloads  # as tools/lab has them
        self.name, self.mtu, self.size, self.ipv6 = name, mtu, size, ipv6
        self.loss, self.vlan_id = loss_percent, vlan_id
        self.server, self.client = f"{name}-server", f"{name}-client"
        self.middle = f"{name}-middle"
        self.www = f"/run/{name}-lab/www"
        self.work = tempfile.mkdtemp(prefix="dpfetch-test-", dir="/var/tmp")
        self.processes = []

    def __enter__(self):
        self.tool("up", "--quiet", "--mtu", str(self.mtu), "--size", str(self.size),
                  *(["--ipv6"] if self.ipv6 else []), "--offloads", self.offloads)
        if self.loss or self.vlan_id:
            self.insert_middle()
        if self.loss:
            self.bridge_with_loss()
        if self.vlan_id:
            self.start(sys.executable, os.path.join(TOP, "tests/integration/vlan_switch.py"), "left", "right",
                       str(self.vlan_id), namespace=self.middle).stderr.readline()
        return self

    def __exit__(self, *_):
        for process in self.processes:
            self.stop(process)
        subprocess.run(["ip", "netns", "del", self.middle], check=False, capture_output=True)
        self.tool("down")
        shutil.rmtree(self.work, ignore_errors=True)

    def tool(self, *args):
        env = dict(os.environ, LAB=self.name)
        subprocess.run([f"{TOP}/tools/lab", *args], env=env, check=True, stdout=subprocess.DEVNULL)

    def insert_middle(self):
        """Moves the cable's client end, as "left", to a namespace between the two; "right" leads on."""
        run("ip", "netns", "add", self.middle)
        # Its own IPv6 would speak up, untagged, when the ends come up.
        subprocess.run(["ip", "netns", "exec", self.middle, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                        "net.ipv6.conf.default.disable_ipv6=1"], check=False, capture_output=True)
        run("ip", "-n", self.client, "link", "set", "c0", "netns", self.middle, "name", "left")
        run("ip", "-n", self.middle, "link", "add", "right", "mtu", str(self.mtu), "type", "veth",
            "peer", "name", "c0", "mtu", str(self.mtu), "netns", self.client)
        for namespace, end in ((self.middle, "left"), (self.middle, "right"), (self.client, "c0")):
            run("ip", "-n", namespace, "link", "set", end, "up")
            run("ip", "netns", "exec", namespace, "ethtool", "-K", end, "tx", "off", "tso", "off",
                "gso", "off", "gro", "off")
        run("ip", "-n", self.client, "addr", "add", "198.18.0.3/24", "dev", "c0")

    def bridge_with_loss(self):
        """Joins the middle's two ends by a bridge that loses frames both ways.

        Dropping at the sender would be seen by its TCP, and dropping at our end comes after
        af_packet has had its copy; so the loss needs a host in the middle.
        """
        run("ip", "-n", self.middle, "link", "add", "br0", "type", "bridge")
        rules = "table netdev lossy {\n"
        for end in ("left", "right"):
            run("ip", "-n", self.middle, "link", "set", end, "master", "br0")
            rules += (f"chain {end} {{\ntype filter hook ingress device \"{end}\" priority 0;\n"
                      f"numgen random mod 1000 < {int(self.loss * 10)} drop\n}}\n")
        rules += "}\n"
        run("ip", "-n", self.middle, "link", "set", "br0", "up")
        run("ip", "netns", "exec", self.middle, "nft", "-f", "-", input=rules.encode())

    def in_server(self, *args, **kw):
        return subprocess.run(["ip", "netns", "exec", self.server, *args], check=True,
                              capture_output=True, text=True, **kw)

    def in_client(self, *args, check=True, **kw):
        return subprocess.run(["ip", "netns", "exec", self.client, *args], check=check,
                              capture_output=True, text=True, **kw)

    def start(self, *args, port=None, namespace=None, cwd=None):
        """Starts a server in the server's namespace and waits until it listens on port."""
        process = subprocess.Popen(["ip", "netns", "exec", namespace or self.server, *args], cwd=cwd,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        if port is not None:
            self.wait_for_port(port, process)
        return process

    @staticmethod
    def stop(process):
        """Politely first: a server killed outright leaves its workers behind."""
        if process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait_for_port(self, port, process):
        for _ in range(200):
            listening = self.in_server("ss", "-Hltn", f"sport = :{port}").stdout
            if listening.strip():
                return
            if process.poll() is not None:
                raise RuntimeError(f"the server on port {port} ended: {process.stderr.read()}")
            time.sleep(0.05)
        raise RuntimeError(f"nothing listens on port {port}")

    def tcp_counters(self, namespace):
        """The namespace's Tcp and TcpExt counters, as a dict."""
        text = subprocess.run(["ip", "netns", "exec", namespace, "cat", "/proc/net/snmp",
                               "/proc/net/netstat"], check=True, capture_output=True, text=True).stdout
        lines, counters = text.splitlines(), {}
        for names, values in zip(lines[::2], lines[1::2]):
            counters.update(zip(names.split()[1:], values.split()[1:]))
        return {name: int(value) for name, value in counters.items()}

    def retransmitted(self):
        return self.tcp_counters(self.server)["RetransSegs"]

    def loss_probes(self):
        """Probes after a loss that may not be one (RFC 8985) which the server has sent."""
        return self.tcp_counters(self.server)["TCPLossProbes"]

    def path(self, name):
        return os.path.join(self.work, name)

    def command(self, *args, build="release"):
        words = next((w for w in (("bench",), ("compare",), ("nic", "test")) if args[:len(w)] == w), ())
        args = args[len(words):]
        own = []
        if "kernel" not in args:  # --stack kernel: the kernel has its own
            own += ["--mtu", str(self.mtu)]
            own += [] if "--mac" in args else ["--mac", MAC]  # as tools/lab advises
            own += [] if {"--address", "--address6"} & set(args) else ["--address", ADDRESS]
        return ["ip", "netns", "exec", self.client, f"{TOP}/build/{build}/app/dpfetch", *words, "--nic", NIC, *own, *args]

    def run(self, command, timeout=120):
        """Runs a command to its end. stderr and stdout as text; never raises for an exit code. One that does not end
        in time is killed, after it was asked what it does."""
        return stuck.run(command, timeout)

    def dpfetch(self, *args, build="release", timeout=120):
        return self.run(self.command(*args, build=build), timeout)

    def popen(self, *args, build="release"):
        return self.spawn(self.command(*args, build=build))

    def spawn(self, command):
        process = stuck.Process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def interrupt(self, process, signo=signal.SIGINT):
        """ip netns exec execs the command, so the pid is dpfetch's own."""
        process.send_signal(signo)
        return process.communicate(timeout=30)

    def foreign_cpu_seconds(self):
        """CPU time so far of the programs that are not this test's: kernel threads, nginx, ourselves."""
        with open(f"/run/{self.name}-lab/nginx.pid", encoding="ascii") as file:
            master = file.read().strip()
        ticks = 0
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path, encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue  # it has ended
            pid, fields = text.split(" ", 1)[0], text.rsplit(")", 1)[1].split()
            if fields[1] not in ("2", master) and pid not in ("2", master, str(os.getpid())):
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    @contextlib.contextmanager
    def server_on_its_own_cpu(self):
        """The server's TCP takes our ACKs on nginx's CPU, not inside our system call (see tools/lab)."""
        path = "/sys/class/net/s0/queues/rx-0/rps_cpus"
        steer = lambda mask: self.in_server("tee", path, input=mask)  # noqa: E731
        several = os.cpu_count() > 1
        if several:
            steer("1")
        try:
            yield
        finally:
            if several:
                steer("0")

    def lossless_runs(self, count, *args):
        """count fetches in which the server may send nothing twice.

        A server's loss probe (RFC 8985) fires when ACKs are some milliseconds late. In the lab as it
        stands our own CPU runs the server's TCP for up to 2 ms at a time, the kernel's limit for
        softirqs: that would test the lab. With the server on its own CPU a poll iteration takes less
        than 0.5 ms. Where it took four times that, or another program had a CPU, somebody took the
        time from us; the run says nothing about our TCP and is repeated. Any other must be clean. Where there are
        two CPUs a file's writer has the server's, and keeps its TCP from our ACKs: a run to a file is repeated, thrice at
        most, if all that was sent again were such probes. Returns how many were repeated.
        """
        repeated = done = 0
        shared = os.cpu_count() < 3 and "/dev/null" not in args
        limit = 3 if shared else max(20, 2 * count)
        stats = self.path("lossless.json")
        with self.server_on_its_own_cpu():
            while done < count:
                before, start, foreign = self.retransmitted(), time.monotonic(), self.foreign_cpu_seconds()
                probes = self.loss_probes()
                result = self.dpfetch("-s", "-S", "--stats", stats, *args)
                assert result.returncode == 0, result.stderr
                again, took = self.retransmitted() - before, time.monotonic() - start
                probes = self.loss_probes() - probes
                foreign = (self.foreign_cpu_seconds() - foreign) / took
                with open(stats, encoding="utf-8") as file:
                    transfer = json.load(file)["transfers"][0]
                if again == 0:
                    done += 1
                    continue
                longest_us, missed = transfer["core"]["iteration_max_us"], transfer["nic"]["imissed"]
                facts = (f"{again} sent again, {probes} of them probes; {missed} missed; longest iteration {longest_us:.0f} us, "
                         f"others' CPU {foreign:.0%}")
                excused = shared and again <= probes and missed == 0
                assert excused or longest_us > 2000 or foreign > 0.1, f"run {done}: {facts}"
                repeated += 1
                assert repeated <= limit, f"the machine is too busy to tell: {facts}"
        return repeated

    def fetch_exact(self, url, source, *args, build="release", timeout=120):
        """Fetches url and compares with the file source. Returns the run's --stats."""
        out, stats = self.path("out"), self.path("stats.json")
        result = self.dpfetch("-o", out, "--stats", stats, *args, url, build=build, timeout=timeout)
        assert result.returncode == 0, f"exit {result.returncode}: {result.stderr}"
        same = subprocess.run(["cmp", out, source], capture_output=True, text=True, check=False)
        assert same.returncode == 0, f"the file differs: {same.stdout}"
        os.unlink(out)
        with open(stats, encoding="utf-8") as file:
            return json.load(file)
