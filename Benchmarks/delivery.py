"""The measurements of Benchmarks/delivery, inside its namespaces.

WORK has Postfix's folder, OURS is ours, DISK is the kind of disk, CGROUP is a cgroup of its own.  ROUNDS, COUNT (messages
out of a full queue), MAIL (messages of one run of the whole way), SESSIONS and BYTES say how much; SIDES="ours" or
"postfix" leaves the other out.  DELIVERY is qmail-start's default delivery.

Rates are messages per second, CPU is seconds for 1000 messages, times are milliseconds, flushes are what the disk was
asked for a message, from its arrival until it has left the queue; all are medians of the rounds, in which the two take
turns.  It fails when a count or a ratio is worse than GATES allows.
"""
import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

WORK, CGROUP, OURS, DISK = (os.environ[name] for name in ["WORK", "CGROUP", "OURS", "DISK"])
ROUNDS = int(os.environ.get("ROUNDS", 5))
COUNT = int(os.environ.get("COUNT", 1000))
MAIL = int(os.environ.get("MAIL", 300))
SESSIONS = [int(word) for word in os.environ.get("SESSIONS", "1 5 10 20").split()]
BYTES = [int(word) for word in os.environ.get("BYTES", "4096 102400").split()]
SIDES = os.environ.get("SIDES", "ours postfix").split()
DELIVERY = os.environ.get("DELIVERY", "./Maildir/")
PATIENCE = 120  # seconds without a change until a run is given up
USERS = [f"mail{i}" for i in range(10)]
# What a row of the whole way may have: flushes a message at most, and of Postfix's rate at least.
GATES = {
    ("fast", "4, 1"): (4.5, 0.6),
    ("fast", "4, 10"): (4, 0.9),
    ("fast", "4, 1, 5 recipients"): (13, 0),
    ("slow", "4, 1"): (4.5, 0.35),
    ("slow", "4, 10"): (1.6, 0.6),
}
# Who takes a message and has it scanned: the most system calls for that; nothing is started for a scan.
ACCEPT = ["tcpserver", "qmail-smtpd", "qmail-queue", "qhpsi", "qhpsi-host", "qhpsid"]
ACCEPT_CALLS = 280
LOCAL = [f"{user}@test.example" for user in USERS]
REMOTE = [f"{user}@remote.example" for user in USERS]


class Group:
    """Programs whose processor time is counted together."""

    def __init__(self, name):
        self.path = f"{CGROUP}/{name}"
        os.mkdir(self.path)

    def start(self, *words, output=None, **options):
        """Start a program in it; its output goes to a file of WORK, or nowhere."""

        def enter():
            with open(f"{self.path}/cgroup.procs", "w") as file:
                file.write("0")

        output = open(f"{WORK}/{output}", "wb") if output else subprocess.DEVNULL
        options = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT} | options
        return subprocess.Popen(words, preexec_fn=enter, **options)

    def run(self, *words):
        if self.start(*words, output="said").wait() != 0:
            with open(f"{WORK}/said") as file:
                sys.exit(f"delivery: {' '.join(words)}: {file.read()}")

    def seconds(self):
        with open(f"{self.path}/cpu.stat") as file:
            return int(file.readline().split()[1]) / 1e6

    def processes(self):
        with open(f"{self.path}/cgroup.procs") as file:
            return file.read().split()


def until(done, what, pause=0.02, progress=lambda: 0):
    """Wait until `done()`, as long as `progress()` changes."""
    end, last = time.monotonic() + PATIENCE, progress()
    while not done():
        time.sleep(pause)
        now = progress()
        if now != last:
            end, last = time.monotonic() + PATIENCE, now
        if time.monotonic() > end:
            sys.exit(f"delivery: not within {PATIENCE} seconds: {what} ({last}); see {WORK}")


def files(folder):
    """How many files there are in a folder and those below."""
    return sum(len(names) for _, _, names in os.walk(folder))


def is_listening(port):
    with open("/proc/net/tcp") as file:
        return any(f":{port:04X} " in line and line.split()[3] == "0A" for line in file)


class Side:
    """A mail server in a folder."""

    def __init__(self, root):
        self.root = root
        self.group = Group(os.path.basename(root))

    def maildirs(self, name):
        return [f"{self.root}/home/{user}/Maildir/{name}" for user in USERS]

    def delivered(self):
        return sum(len(os.listdir(path)) for path in self.maildirs("new"))

    def clear(self):
        """Put away what was delivered; removing it would make ext4 search for numbers that are not fresh."""
        for path in self.maildirs("new"):
            owner = os.stat(path)
            os.rename(path, f"{path}.{time.monotonic_ns()}")
            os.mkdir(path, 0o700)
            os.chown(path, owner.st_uid, owner.st_gid)
        os.sync()

    def fill(self, count, recipients):
        load(self.filling, 10, count, 4096, recipients)
        assert self.waiting() == count, f"{self.waiting()} of {count} messages are in the queue"
        os.sync()

    def seconds(self):
        return {"MTA": self.group.seconds()}

    def all_processes(self):
        return self.group.processes()


class Postfix(Side):
    name, whole, filling = "Postfix", 2525, 2526

    def __init__(self):
        super().__init__(f"{WORK}/debian")
        self.queue = f"{self.root}/var/spool/postfix"
        self.milter = Group("milter")
        self.milter.start("chroot", self.root, "clamav-milter", "-c", "/bench/milter.conf", output="milter.log")
        until(lambda: os.path.exists(f"{self.queue}/milter/socket"), "clamav-milter starts")
        self.group.run("chroot", self.root, "postfix", "start")
        until(lambda: is_listening(self.whole) and is_listening(self.filling), "Postfix starts")

    def waiting(self):
        return sum(files(f"{self.queue}/{name}") for name in ["incoming", "active", "deferred", "hold"])

    def prepare(self):
        pass

    def release(self):
        """Put the messages that are held where new ones are, and tell the queue's manager."""
        for name in os.listdir(f"{self.queue}/hold"):
            os.rename(f"{self.queue}/hold/{name}", f"{self.queue}/incoming/{name}")
        with socket.socket(socket.AF_UNIX) as manager:
            manager.connect(f"{self.queue}/public/qmgr")
            manager.sendall(b"I")

    def stop(self):
        pass

    def seconds(self):
        return {"MTA": self.group.seconds() + self.milter.seconds(), "milter": self.milter.seconds()}

    def all_processes(self):
        return self.group.processes() + self.milter.processes()


class Ours(Side):
    name, whole, filling = "QHPSI", 2527, 2528

    def __init__(self):
        super().__init__(OURS)
        self.queue = f"{self.root}/var/spool/qhpsi/queue1"
        self.sender = None
        # A service that is up as the packages install it.
        self.inside("exec qhpsid", output="qhpsid.log")
        until(lambda: os.path.exists(f"{self.root}/run/qhpsi/qhpsid"), "qhpsid starts")
        self.serve(self.whole, "QHPSI=plugin:clamd.so")
        self.serve(self.filling, "RELAYCLIENT=")
        until(lambda: is_listening(self.whole) and is_listening(self.filling), "tcpserver starts")

    def inside(self, script, *words, **options):
        """Run a script for bash in it."""
        command = ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin:/usr/sbin", "/bin/bash", "-c", script, "bash"]
        return self.group.start("tools/in-root", self.root, *command, *words, **options)

    def serve(self, port, *settings):
        self.inside(
            'exec env "${@:2}" tcpserver -k -RHl mx.test.example -c 100 -u 64011 -g 65534 127.0.0.1 "$1" /usr/sbin/qmail-smtpd',
            str(port), *settings, output=f"smtpd.{port}.log")

    def waiting(self):
        return files(f"{self.queue}/mess")

    def prepare(self, tracer=""):
        """Be ready to start qmail-send."""
        words = f'{tracer} qmail-start "$1" multilog t s1000000 n5 /var/log/qmail-send'
        self.sender = self.inside(
            f"echo ready >&2; read -r; exec {words}", DELIVERY, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.sender.stderr.readline() == b"ready\n"

    def release(self):
        self.sender.stdin.write(b"\n")
        self.sender.stdin.close()

    def stop(self):
        """End qmail-send; it has nothing to do."""
        self.sender.terminate()
        self.sender.wait()
        self.sender = None


def load(port, sessions, count, size, recipients, *options):
    """Send mail; what smtp-load prints."""
    words = [f"{WORK}/smtp-load", *options, "127.0.0.1", str(port), str(sessions), str(count), str(size), *recipients]
    run = subprocess.run(words, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"delivery: {run.stderr}")
    return [float(word) for word in run.stdout.split()]


def clamd():
    scanner = Group("clamd")
    scanner.start("chroot", f"{WORK}/debian", "clamd", "--config-file=/bench/clamd.conf", output="clamd.log")
    until(lambda: os.path.exists(f"{WORK}/debian/run/clamav/clamd.ctl"), "clamd starts")
    return scanner


def flushes():
    """How often the disk was asked to put what it has to where it lasts (the kernel's Documentation/block/stat.rst)."""
    device = os.stat(OURS).st_dev
    with open(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat") as file:
        return int(file.read().split()[15])


class Sink:
    """Postfix's smtp-sink, which takes any mail and counts it."""

    def __init__(self):
        Group("sink").start("chroot", f"{WORK}/debian", "smtp-sink", "-u", "postfix", "-c", "127.0.0.1:10025", "1000", output="sink")
        until(lambda: is_listening(10025), "smtp-sink starts")

    def received(self):
        with open(f"{WORK}/sink", "rb") as file:
            file.seek(max(0, os.path.getsize(f"{WORK}/sink") - 200))
            counts = re.findall(rb"mesg=\s*(\d+)", file.read())
        return int(counts[-1]) if counts else 0


def take_turns(sides, measure):
    """Rows of values, by side: each side is measured ROUNDS times, in turn."""
    rows = {side.name: [] for side in sides}
    for number in range(ROUNDS):
        for side in sides if number % 2 == 0 else reversed(sides):
            rows[side.name].append(measure(side))
    return {name: {key: statistics.median(row[key] for row in values) for key in values[0]}
            for name, values in rows.items()}


def spent(before, after, count):
    return {name: (after[name] - before[name]) * 1000 / count for name in after}


def drain(side, recipients, arrived, context=contextlib.nullcontext()):
    """Empty a full queue, until `arrived(side)` has grown by all."""
    side.fill(COUNT, recipients)
    side.prepare()
    first, before = arrived(side), side.seconds()
    with context:
        start = time.monotonic()
        side.release()
        until(lambda: arrived(side) - first == COUNT, f"{side.name} delivers", progress=lambda: arrived(side))
        end = time.monotonic()
    until(lambda: side.waiting() == 0, f"{side.name} empties its queue", pause=0.05)
    row = {"rate": COUNT / (end - start)} | spent(before, side.seconds(), COUNT)
    side.stop()
    side.clear()
    return row


def whole(side, sessions, size, recipients=1, tls=False):
    options = ["-r", str(recipients)] + ["-t"] * tls
    count = MAIL // recipients
    os.sync()
    before, start, flushed = side.seconds() | {"clamd": scanner.seconds()}, time.monotonic(), flushes()
    seconds, median, slow = load(side.whole, sessions, count, size, LOCAL, *options)
    until(lambda: side.delivered() == count * recipients, f"{side.name} delivers", progress=side.delivered)
    end = time.monotonic()
    until(lambda: side.waiting() == 0, f"{side.name} empties its queue", pause=0.05)
    row = {"accepted": count / seconds, "delivered": count / (end - start), "p50": median, "p99": slow,
           "flushes": (flushes() - flushed) / count}
    row |= spent(before, side.seconds() | {"clamd": scanner.seconds()}, count)
    side.clear()
    return row


def table(*rows):
    for number, row in enumerate(rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")
        if number == 0:
            print("|---|" + "---:|" * (len(row) - 1))
    print(flush=True)


def beside(values, key, form):
    """Cells: ours, Postfix's, and ours in terms of it."""
    cells = [format(values[name][key], form) if name in values else "" for name in ["QHPSI", "Postfix"]]
    ratio = values["QHPSI"][key] / values["Postfix"][key] if len(values) == 2 else None
    return cells + [f"{ratio:.2f}" if ratio else ""]


def measure_drain(what, recipients, arrived):
    values = take_turns(sides, lambda side: drain(side, recipients, arrived))
    table([f"{COUNT} messages of 4 KB, {what}", "QHPSI", "Postfix", "ratio"],
          ["messages per second"] + beside(values, "rate", ".0f"),
          ["CPU seconds for 1000"] + beside(values, "MTA", ".2f"))
    return len(values) < 2 or values["QHPSI"]["rate"] >= values["Postfix"]["rate"]


def ways():
    """What mail comes in by the whole way: label, and what `whole` is given."""
    for size in BYTES:
        for sessions in SESSIONS:
            yield f"{size // 1024}, {sessions}", {"sessions": sessions, "size": size}
    for recipients in [2, 5]:
        yield f"4, 1, {recipients} recipients", {"sessions": 1, "size": 4096, "recipients": recipients}
    for sessions in [1, 10]:
        yield f"4, {sessions}, STARTTLS", {"sessions": sessions, "size": 4096, "tls": True}


def measure_whole():
    rates = [["KB, sessions", "accepted/s: QHPSI", "Postfix", "ratio", "delivered/s: QHPSI", "Postfix", "ratio",
              "flushes: QHPSI", "Postfix", "ratio", "reply p50 ms: QHPSI", "Postfix", "p99 ms: QHPSI", "Postfix"]]
    costs = [["KB, sessions", "CPU s for 1000, MTA: QHPSI", "Postfix", "ratio", "(its milter)",
              "clamd: with QHPSI", "with Postfix", "ratio"]]
    for side in sides:
        side.prepare()
        if side.name == "QHPSI":
            side.release()
    for label, way in ways():
        values = take_turns(sides, lambda side: whole(side, **way))
        rates.append([label] + beside(values, "accepted", ".0f") + beside(values, "delivered", ".0f")
                     + beside(values, "flushes", ".1f") + beside(values, "p50", ".1f")[:2] + beside(values, "p99", ".1f")[:2])
        milter = f"{values['Postfix']['milter']:.2f}" if "Postfix" in values else ""
        costs.append([label] + beside(values, "MTA", ".2f") + [milter] + beside(values, "clamd", ".2f"))
        judge(label, values)
    table(*rates)
    table(*costs)
    for side in sides:
        side.stop()


def judge(label, values):
    """Note what is worse than its gate."""
    most, least = GATES.get((DISK, label), (None, None))
    if most is None or "QHPSI" not in values:
        return
    ours = values["QHPSI"]
    if ours["flushes"] > most:
        faults.append(f"{DISK} disk, {label}: {ours['flushes']:.1f} flushes a message, at most {most}")
    if len(values) == 2 and ours["accepted"] < least * values["Postfix"]["accepted"]:
        faults.append(f"{DISK} disk, {label}: {ours['accepted'] / values['Postfix']['accepted']:.2f} of Postfix's rate, at least {least}")


def measure_calls(count=20):
    """System calls, starts and forks a message of one session, by program, as strace sees them."""
    rows = [["a message, 4 KB, one session", "system calls", "execs", "forks"]]
    for side in sides:
        side.prepare()
        if side.name == "QHPSI":
            side.release()
        load(side.whole, 1, 5, 4096, LOCAL)
        until(lambda: side.delivered() == 5 and side.waiting() == 0, f"{side.name} delivers")
        side.clear()
        trace = f"{WORK}/calls.{side.name}"
        group = Group(f"strace.{side.name}")
        tracer = group.start("strace", "-f", "-qq", "--decode-pids=comm", "-e", "signal=none", "-o", trace,
                             *(word for number in side.all_processes() for word in ["-p", number]))
        time.sleep(1)
        load(side.whole, 1, count, 4096, LOCAL)
        until(lambda: side.delivered() == count and side.waiting() == 0, f"{side.name} delivers")
        time.sleep(0.5)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        side.clear()
        side.stop()
        rows += counted(side.name, trace, count)
    table(*rows)


def counted(name, trace, count):
    """Rows of a trace: the whole, then each program that makes a call or more a message."""
    programs = {}
    with open(trace, errors="replace") as file:
        for line in file:
            found = re.match(r"\d+<([^>]*)> (\w+)\(", line)
            if not found:
                continue
            program, call = found.groups()
            row = programs.setdefault(program, [0, 0, 0])
            row[0] += 1
            row[1] += call == "execve"
            row[2] += call in ("clone", "clone3", "fork", "vfork")
    if name == "QHPSI":
        taken = [programs.get(program, [0, 0, 0]) for program in ACCEPT]
        calls = sum(row[0] for row in taken) / count
        if calls > ACCEPT_CALLS:
            faults.append(f"{calls:.0f} system calls to accept a message, at most {ACCEPT_CALLS}")
        # tcpserver's child becomes qmail-smtpd, and that one's qmail-queue.
        if sum(row[1] for row in taken[2:]) > 0:
            faults.append("a program is started for a scan")
    total = [sum(row[i] for row in programs.values()) for i in range(3)]
    rows = [[name] + [f"{value / count:.1f}" for value in total]]
    for program, row in sorted(programs.items(), key=lambda pair: -pair[1][0]):
        if row[0] >= count:
            rows.append([f"… {program}"] + [f"{value / count:.1f}" for value in row])
    return rows


class Samples:
    """perf's samples of our programs, 2000 in a second for each core, while it is the context."""

    def __enter__(self):
        self.data = f"{WORK}/perf.data"
        group = side_named("QHPSI").group.path.split("/")
        words = ["-q", "-a", "-g", "-e", "cpu-clock", "-F", "1999", "-G", "/".join(group[-2:]), "-o", self.data]
        self.recorder = subprocess.Popen(["perf", "record", *words], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        return self

    def __exit__(self, *unused):
        self.recorder.send_signal(signal.SIGINT)
        self.recorder.wait()

    def lines(self, *options):
        words = ["perf", "report", "-i", self.data, "--stdio", "-q", "-g", "none", *options]
        output = subprocess.run(words, capture_output=True, text=True).stdout
        return [line.rstrip() for line in output.splitlines() if line.strip()]

    def show(self, title):
        """By program and library, by what the kernel was asked for, and by function."""
        print(f"{title}, % of samples:", *self.lines("--no-children", "--sort", "comm,dso")[:25], "", sep="\n")
        asked = [line.split() for line in self.lines("--children", "--sort", "comm,sym")]
        asked = [f"{float(words[0][:-1]):10.2f}%  {words[2]:14}{words[-1]}" for words in asked
                 if re.match("__x64_sys_|exc_page_fault$|ret_from_fork", words[-1])]
        print("of the kernel, with what it calls:", *asked[:40], "", sep="\n")
        print("by function:", *self.lines("--no-children", "--sort", "comm,dso,sym")[:30], "", sep="\n")


def side_named(name):
    return next(side for side in sides if side.name == name)


def profile():
    """Where our time goes: samples by program, by library or kernel, and by function."""
    side = side_named("QHPSI")
    samples = Samples()
    drain(side, LOCAL, lambda side: side.delivered(), samples)
    samples.show("out of a full queue into Maildirs")
    side.prepare()
    side.release()
    with samples:
        load(side.whole, 10, MAIL, 4096, LOCAL)
        until(lambda: side.delivered() == MAIL, "QHPSI delivers", progress=side.delivered)
    side.stop()
    side.clear()
    samples.show("the whole way, 10 sessions")


parts = sys.argv[1:] or ["local", "remote", "whole", "calls"]
for log in ["said", "milter.log", "clamd.log", "sink"]:
    if os.path.exists(f"{WORK}/{log}"):
        os.unlink(f"{WORK}/{log}")
scanner = clamd()
sides = [{"ours": Ours, "postfix": Postfix}[name]() for name in SIDES]
faults = []
print(f"{ROUNDS} rounds, load {os.getloadavg()[0]:.1f} at the start", flush=True)
if "local" in parts and not measure_drain("into Maildirs", LOCAL, lambda side: side.delivered()) and DISK != "slow":
    faults.append("local delivery is slower than Postfix's")
if "remote" in parts:
    sink = Sink()
    measure_drain("to smtp-sink, 20 at once", REMOTE, lambda side: sink.received())
if "whole" in parts:
    measure_whole()
if "calls" in parts:
    measure_calls()
if "profile" in parts:
    profile()
print(f"load {os.getloadavg()[0]:.1f} at the end")
sys.exit("\n".join(f"delivery: {fault}" for fault in faults))
