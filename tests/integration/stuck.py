# SPDX-License-Identifier: BSD-3-Clause
"""What a program does that does not end in its time: told before it is killed."""
import os
import shutil
import subprocess

STATUS = ("Name:", "State:", "Cpus_allowed_list:", "voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:")
GDB_SECONDS = 60


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError as error:
        return f"({error.strerror})"


def family(pid):
    """The process and its descendants."""
    pids = [pid]
    for parent in pids:
        for task in listdir(f"/proc/{parent}/task"):
            pids += [int(child) for child in read(f"/proc/{parent}/task/{task}/children").split() if child.isdigit()]
    return pids


def listdir(path):
    try:
        return sorted(os.listdir(path), key=int)
    except OSError:
        return []


def describe_task(pid, task):
    """Where a thread is: in the kernel, as it says itself; else "running", or the registers of its call."""
    folder = f"/proc/{pid}/task/{task}"
    status = [" ".join(line.split()) for line in read(f"{folder}/status").splitlines() if line.startswith(STATUS)]
    stack = read(f"{folder}/stack").replace("\n", " < ")
    return (f"  thread {task}: {'; '.join(status)}\n    waits in {read(f'{folder}/wchan')}; call "
            f"{read(f'{folder}/syscall')}\n    kernel's stack: {stack}\n")


def backtraces(pid):
    """By gdb, where it is."""
    if shutil.which("gdb") is None:
        return "  (no gdb: the program's own stacks are not known)\n"
    try:
        result = subprocess.run(["gdb", "-nx", "-batch", "-p", str(pid), "-ex", "thread apply all backtrace 20"],
                                capture_output=True, text=True, timeout=GDB_SECONDS, check=False, errors="replace",
                                stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return "  (gdb did not end either)\n"
    lines = [line for line in result.stdout.splitlines() if line.startswith(("Thread ", "#"))]
    return "".join(f"  {line}\n" for line in lines) or f"  (gdb: {result.stderr.strip()})\n"


def describe(pid):
    """All threads of the process and of its descendants."""
    text = ""
    for one in family(pid):
        command = read(f"/proc/{one}/cmdline").replace("\0", " ")
        text += f"process {one}: {command}\n"
        text += "".join(describe_task(one, task) for task in listdir(f"/proc/{one}/task")) + backtraces(one)
    return text


class Process(subprocess.Popen):
    """A Popen whose TimeoutExpired says, as a note, what the program was doing."""

    def communicate(self, *args, **kw):
        return self._or_tell(super().communicate, *args, **kw)

    def wait(self, *args, **kw):
        return self._or_tell(super().wait, *args, **kw)

    def _or_tell(self, call, *args, **kw):
        try:
            return call(*args, **kw)
        except subprocess.TimeoutExpired as error:
            if not getattr(error, "__notes__", None):  # communicate waits, too
                error.add_note(describe(self.pid))
            raise


def run(command, timeout):
    """Runs it to its end, or kills it after timeout seconds. stdout and stderr as text."""
    with Process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                 errors="replace") as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)
