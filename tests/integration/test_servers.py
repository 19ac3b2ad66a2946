# SPDX-License-Identifier: BSD-3-Clause
"""Real servers, all sizes: byte-exact."""
import os
import re
import subprocess
import time

from lab import SERVER_IP, sha256_file

LABS = [{"mtu": 1500, "size": 1 << 30}]


def url(port, path):
    return f"http://{SERVER_IP}:{port}/{path}"


def make(lab, name, size):
    path = os.path.join(lab.www, name)
    if not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(os.urandom(size))
    return path


def fetch_sizes(lab, port):
    for size in (0, 1, 1447, 1448, 1449, 2896, 65535, 65536, 131072, 1 << 20):
        name = str(size)
        lab.fetch_exact(url(port, name), make(lab, name, size))


def test_nginx_every_size_is_exact(lab):
    fetch_sizes(lab, 80)


def test_nginx_1_gib_to_disk_is_exact(lab):
    stats = lab.fetch_exact(url(80, "big"), os.path.join(lab.www, "big"))
    assert stats["transfers"][0]["result"]["size_download"] == 1 << 30


def test_nginx_1_gib_to_disk_without_retransmission(lab):
    lab.lossless_runs(1, "-o", lab.path("out"), url(80, "big"))
    os.unlink(lab.path("out"))


def test_python_http_server_every_size_is_exact(lab):
    lab.start("python3", "-m", "http.server", "8001", "--bind", SERVER_IP, "-d", lab.www, port=8001)
    fetch_sizes(lab, 8001)


def test_lighttpd_every_size_is_exact(lab):
    config = lab.path("lighttpd.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f'server.document-root = "{lab.www}"\nserver.bind = "{SERVER_IP}"\n'
                   "server.port = 8002\n")
    lab.start("lighttpd", "-D", "-f", config, port=8002)
    fetch_sizes(lab, 8002)


def test_apache2_every_size_is_exact(lab):
    modules = "/usr/lib/apache2/modules"
    config = lab.path("apache2.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f"ServerRoot {lab.work}\nPidFile {lab.work}/apache2.pid\nListen {SERVER_IP}:8003\n"
                   f"ServerName lab\nErrorLog {lab.work}/apache2.log\nDefaultRuntimeDir {lab.work}\n"
                   f"LoadModule mpm_event_module {modules}/mod_mpm_event.so\n"
                   f"LoadModule authz_core_module {modules}/mod_authz_core.so\n"
                   f"User www-data\nGroup www-data\n"
                   f"DocumentRoot {lab.www}\n<Directory {lab.www}>\nRequire all granted\n</Directory>\n")
    os.chmod(lab.work, 0o755)
    lab.start("apache2", "-f", config, "-D", "FOREGROUND", port=8003)
    fetch_sizes(lab, 8003)


NODE = """
const fs = require('fs'), http = require('http');
http.createServer((req, res) => {  // no Content-Length: node sends chunked
    fs.createReadStream(process.argv[1] + req.url).pipe(res);
}).listen(8004, '%s');
"""


def test_node_chunked_every_size_is_exact(lab):
    lab.start("node", "-e", NODE % SERVER_IP, lab.www, port=8004)
    fetch_sizes(lab, 8004)
    stats = lab.fetch_exact(url(8004, "1048576"), os.path.join(lab.www, "1048576"))
    assert stats["transfers"][0]["result"]["framing"] == "chunked"


def test_sparse_file_beyond_4_gib_wraps_the_sequence_space_and_is_exact(lab):
    """5 GiB: sequence numbers wrap; a marker sits on each side of every boundary that matters."""
    size, path, out = 5 << 30, lab.path("sparse"), lab.path("sparse.out")
    with open(path, "wb") as file:
        file.truncate(size)
        for offset in (0, (2 << 30) - 3, (4 << 30) - 3, (4 << 30) + 1, size - 7):
            file.seek(offset)
            file.write(b"MARKER!")
    conf = lab.path("sparse.conf")
    with open(conf, "w", encoding="ascii") as file:
        file.write(f"pid {lab.work}/nginx.pid; error_log {lab.work}/nginx.log; daemon off; user root;\n"
                   f"events {{}} http {{ access_log off; sendfile on; server {{\n"
                   f"listen {SERVER_IP}:8005; root {lab.work}; }} }}\n")
    lab.start("nginx", "-c", conf, "-e", f"{lab.work}/nginx.log", port=8005)
    result = lab.dpfetch("-o", "/dev/null", "--checksum", "sha-256=" + sha256_file(path),
                         url(8005, "sparse"), timeout=180)
    assert result.returncode == 0, result.stderr
    assert not os.path.exists(out)


def test_hundred_sequential_fetches_are_all_exact(lab):
    source = make(lab, "131072", 131072)
    args = []
    for i in range(100):
        args += ["-o", lab.path(f"seq{i}"), url(80, "131072")]
    result = lab.dpfetch("-w", "%{http_code} %{num_connects}\\n", *args)
    assert result.returncode == 0, result.stderr
    assert len(re.findall(r"^200 ", result.stdout, re.M)) == 100
    assert sum(int(n) for n in re.findall(r"^200 (\d+)", result.stdout, re.M)) == 1, "keep-alive reuse"
    for i in range(100):
        subprocess.run(["cmp", lab.path(f"seq{i}"), source], check=True)
        os.unlink(lab.path(f"seq{i}"))


def test_twenty_separate_runs_are_all_exact(lab):
    source = make(lab, "1048576", 1 << 20)
    for _ in range(20):
        lab.fetch_exact(url(80, "1048576"), source)


def test_asan_build_fetches_exactly_and_clean(lab):
    lab.fetch_exact(url(80, "1048576"), make(lab, "1048576", 1 << 20), build="asan")


def test_servers_in_time_wait_take_the_next_runs_connection(lab):
    """They do (RFC 6191) if timestamps go on from run to run: whoever starts again at random is refused
    for a minute on a port that comes again, in half of the cases."""
    capture = lab.path("syn.pcap")
    tcpdump = lab.start("tcpdump", "-Uni", "s0", "-Z", "root", "--immediate-mode", "-w", capture, "tcp[tcpflags] = tcp-syn")
    while not (os.path.exists(capture) and os.path.getsize(capture) >= 24):  # it listens from its header on
        assert tcpdump.poll() is None, tcpdump.stderr.read()
        time.sleep(0.05)
    for _ in range(5):
        result = lab.dpfetch("-o", lab.path("page"), url(80, os.path.basename(make(lab, "1", 1))))
        assert result.returncode == 0, result.stderr
    tcpdump.terminate()
    tcpdump.wait()
    text = lab.run(["tcpdump", "-Z", "root", "-ttnr", capture]).stdout
    syns = re.findall(r"^([0-9.]+) .*TS val ([0-9]+) ecr 0", text, re.M)
    assert len(syns) >= 5, syns
    for (at, value), (next_at, next_value) in zip(syns, syns[1:]):
        passed_ms = (float(next_at) - float(at)) * 1000
        assert abs((int(next_value) - int(value)) % 2**32 - passed_ms) < 200, syns
