# SPDX-License-Identifier: BSD-3-Clause
"""The guest as its tests see it: NICs to bind, a web server behind each of their cables, and QEMU's monitor."""
import hashlib
import json
import os
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DPFETCH = f"{TOP}/build/release/app/dpfetch"
SERVER = "server"  # the namespace of the NICs' peers
WORK = "/run/dpfetch-guest"
WWW = WORK + "/www"
FILES = {"small": 512 << 10, "big": 4 << 20, "long": 12 << 20}
HUGEPAGES = 160  # of 2 MiB; what one dpfetch of a 1 MiB window needs, twice over

NGINX = """
worker_processes 1;
worker_cpu_affinity 01;
pid {work}/nginx.pid;
error_log {work}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    default_type application/octet-stream;
    server {{
        listen 80;
        listen [::]:80;
        root {www};
        location /slow/ {{ alias {www}/; limit_rate 3m; }}
    }}
}}
"""


def run(*args, check=True, timeout=60, **kw):
    result = subprocess.run(args, capture_output=True, text=True, errors="replace", timeout=timeout,
                            stdin=subprocess.DEVNULL, check=False, **kw)
    assert not check or result.returncode == 0, f"{' '.join(args)}: {result.returncode} {result.stderr}{result.stdout}"
    return result


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def bind(address, driver):
    """Hands a PCI device to user space, as the product does; it stays there until somebody restores it."""
    device = f"/sys/bus/pci/devices/{address}/driver"
    if not os.path.exists(device) or os.path.basename(os.path.realpath(device)) != driver:
        run(DPFETCH, "nic", "bind", address, "--driver", driver)
    assert os.path.basename(os.path.realpath(device)) == driver, f"{address} is not bound to {driver}"


class Guest:
    """A context manager, so that nginx ends; namespaces and files go with the machine."""

    def __init__(self, options):
        self.models = [value for name, value in zip(options, options[1:]) if name == "--nic"]
        self.driver = "uio_pci_generic" if "off" in options else "vfio-pci"
        self.bus = 1 if "pci" in options else 0  # behind a bridge, or at the root

    def __enter__(self):
        os.makedirs(WWW)
        os.chmod(WWW, 0o755)
        write("/proc/sys/vm/nr_hugepages", str(HUGEPAGES))
        for name, size in FILES.items():
            with open(f"{WWW}/{name}", "wb") as file:
                file.write(os.urandom(size))
        write(f"{WWW}/hello.txt", "Hello from the guest.\n")
        run("ip", "netns", "add", SERVER)
        self.in_server("ip", "link", "set", "lo", "up")
        for index, _ in enumerate(self.models):
            self.place_peer(index)
        write(f"{WORK}/nginx.conf", NGINX.format(work=WORK, www=WWW))
        self.in_server("nginx", "-c", f"{WORK}/nginx.conf", "-e", f"{WORK}/error.log", "-p", WORK)
        return self

    def __exit__(self, *_):
        with open(f"{WORK}/nginx.pid", encoding="ascii") as file:
            run("kill", file.read().strip(), check=False)

    def place_peer(self, index):
        """The NIC's peer to the server's namespace, as p0, p1, ..., 198.18.0.1, 198.18.1.1, ..."""
        found = [link["ifname"] for link in json.loads(run("ip", "-j", "link").stdout)
                 if link["address"] == f"02:00:5e:12:01:{index:02x}"]
        name = self.peer(index)
        run("ip", "link", "set", found[0], "down")
        run("ip", "link", "set", found[0], "netns", SERVER, "name", name)
        self.in_server("ip", "addr", "add", f"{self.server_ip(index)}/24", "dev", name)
        self.in_server("ip", "addr", "add", f"2001:2:0:{index:x}::1/64", "dev", name, "nodad")
        self.in_server("ip", "link", "set", name, "up")

    @staticmethod
    def peer(index):
        return f"p{index}"

    @staticmethod
    def server_ip(index):
        return f"198.18.{index}.1"

    def pci(self, index):
        return f"0000:{self.bus:02x}:{0x10 + index:x}.0"

    def nic(self, model):
        """The number of the first NIC of that model, which is bound to the machine's driver for DPDK."""
        index = self.models.index(model)
        bind(self.pci(index), self.driver)
        return index

    @staticmethod
    def in_server(*args, **kw):
        return run("ip", "netns", "exec", SERVER, *args, **kw)

    def monitor(self, command):
        """A command to QEMU; what it answers is not waited for."""
        write("/dev/virtio-ports/monitor", command + "\n")

    def retransmitted(self):
        text = self.in_server("cat", "/proc/net/snmp").stdout
        names, values = [line.split() for line in text.splitlines() if line.startswith("Tcp:")]
        return int(values[names.index("RetransSegs")])

    def command(self, index, *args, namespace=None):
        word = [args[0]] if args[:1] == ("bench",) else []
        args = args[len(word):]
        own = [] if "--address" in args else ["--address", f"198.18.{index}.2/24"]
        nic = [] if "--nic" in args else ["--nic", self.pci(index)]
        where = ["ip", "netns", "exec", namespace] if namespace else []
        return [*where, DPFETCH, *word, *nic, *own, "--window", "1m", "--link-timeout", "30", *args]

    def popen(self, index, *args, **kw):
        return subprocess.Popen(self.command(index, *args, **kw), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, errors="replace")

    def fetch(self, index, *args, path="big", **kw):
        """A file by that NIC; its bytes must be the server's. Returns the run's --stats."""
        return self.finish(self.popen(index, "-o", f"{WORK}/out", "--stats", f"{WORK}/stats", *args,
                                      f"http://{self.server_ip(index)}/{path}", **kw), path)

    @staticmethod
    def finish(process, source="big", timeout=120):
        """The end of a fetch. Its --stats, and what it said as "stderr"."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.terminate()
            out, err = process.communicate(timeout=10)
            err = f"ended after {timeout} s: {err}"
        assert process.returncode == 0, f"exit {process.returncode}: {err}{out}"
        assert sha256(f"{WORK}/out") == sha256(f"{WWW}/{source}"), "the file differs"
        os.unlink(f"{WORK}/out")
        with open(f"{WORK}/stats", encoding="utf-8") as file:
            stats = json.load(file)
        stats["stderr"] = err
        return stats


def say(text):
    print("      " + text, flush=True)


def wait_until(condition, timeout, what):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"not within {timeout} s: {what}"
        time.sleep(0.05)
