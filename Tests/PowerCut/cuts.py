#!/usr/bin/env python3
"""Record mail on a disk, cut the power at many points, and look what became of it; see Tests/PowerCut/run."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

import orders
import points
from messages import MESSAGES, USERS, found, is_held, recipients, write
from without import WITHOUT, attach, without

WORK, MACHINE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
MEMORY = WORK / "memory"
# How many cuts are tried, or all; and what chooses them.
CUTS = os.environ.get("CUTS", "40")
SEED = int(os.environ.get("SEED") or random.randrange(1, 1 << 31))
# So many cuts are tried at once, for mostly they wait; and which of these processes this is.
JOBS = int(os.environ.get("JOBS", "4"))
PART = 0
# The queue's disk, and that of the homes.
PLACES = (("disk0", "var/spool/qhpsi"), ("disk1", "home"))
HOME = MACHINE / "disk1"
QUEUE = MACHINE / "var/spool/qhpsi/queue1"
MAKE = {
    "ext4": (64, ["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0"]),
    # Each file and each folder is synced in turn, and a check mends the rest.
    "ext4 without a journal": (64, ["mkfs.ext4", "-q", "-O", "^has_journal", "-E", "lazy_itable_init=0"]),
    "xfs": (320, ["mkfs.xfs", "-q", "-f"]),
    "btrfs": (256, ["mkfs.btrfs", "-q", "-f"]),
}


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, **options)


def inside(*words):
    return ["tools/in-root", str(MACHINE), *words]


def make_machine():
    run("tools/set-id-root", MACHINE, 0)
    # All users are known to the machine; their homes are on the disk.
    with open(MACHINE / "etc/passwd", "a") as passwd:
        for name, number in USERS.items():
            passwd.write(f"{name}:x:{number}:{number}::/home/{name}:/bin/sh\n")
    run("install", "-d", "-o", 64010, MACHINE / "var/qmail/alias")
    (MACHINE / "etc/qhpsi/control/locals").write_text("test.example\n")
    write(MACHINE)
    for name in ("disk0", "disk1", "record"):
        (MACHINE / name).mkdir()


def mount(images):
    for image, (name, place) in zip(images, PLACES):
        # Several cuts of one XFS are mounted at once.
        options = "loop,nouuid" if (MEMORY / "system").read_text() == "xfs" else "loop"
        run("mount", "-o", options, image, MACHINE / name)
        run("mount", "--bind", MACHINE / name, MACHINE / place)


def unmount(places=tuple(name for places in PLACES for name in reversed(places))):
    for place in places:
        if not os.path.ismount(MACHINE / place):
            continue
        for _ in range(100):
            if subprocess.run(["umount", MACHINE / place], stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"power-cut: unable to unmount {place}")


class Service:
    """qmail-start in the machine, with a log, after some messages are queued."""

    def __init__(self, log, *numbers, under=()):
        self.log = open(log, "wb")
        self.process = subprocess.Popen(
            [*under, *inside("/serve", *map(str, numbers))],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def signal(self, number):
        """To qmail-send itself, which may run under strace(1)."""
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                name = os.readlink(entry / "exe")
                status = (entry / "status").read_text()
            except OSError:
                continue
            if re.search(r"/usr/sbin/qmail-send(\.real)?$", name):
                parent = re.search(r"^PPid:\s+(\d+)", status, re.M).group(1)
                try:
                    other = os.readlink(f"/proc/{parent}/exe")
                except OSError:
                    other = ""
                # Its fork waits for the disk.
                if name != other:
                    os.kill(int(entry.name), number)

    def run_until_empty(self, seconds):
        """Try everything again until the queue is empty; whether it is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            left = [name for part in ("hold", "todo", "info", "bounce") for name in (QUEUE / part).rglob("*")
                    if name.is_file()]
            if not left:
                return True
            self.signal(signal.SIGALRM)
            time.sleep(0.1)
        return False

    def stop(self):
        end = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < end:
            self.signal(signal.SIGTERM)
            time.sleep(0.1)
        if self.process.poll() is None:
            raise SystemExit("power-cut: qmail-start does not end")
        self.log.close()


def make_disks(system):
    """New disks with an empty queue and the homes, as MEMORY/base0 and base1."""
    if (MEMORY / "system").exists() and (MEMORY / "system").read_text() == system:
        return
    (MEMORY / "system").write_text(system)
    size, make = MAKE[system]
    bases = [MEMORY / "base0", MEMORY / "base1"]
    for base in bases:
        base.unlink(missing_ok=True)
        with open(base, "wb") as file:
            file.truncate(size << 20)
        run(*make, base, stdout=subprocess.DEVNULL)
    mount(bases)
    run(*inside("queue-fix", "-s", "3", "/var/spool/qhpsi/queue1"), stdout=subprocess.DEVNULL)
    for name, number in USERS.items():
        for part in ("", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
            run("install", "-d", "-m", "700", "-o", number, "-g", number, HOME / name / part)
    (HOME / "slow/.qmail").write_text("|test -e /home/slow/go || exit 111\n./Maildir/\n")
    unmount()


@contextlib.contextmanager
def recording(system):
    """New disks, of which all is written down in MEMORY/trace."""
    make_disks(system)
    images = [MEMORY / "image0", MEMORY / "image1"]
    for number, image in enumerate(images):
        run("cp", "--sparse=always", MEMORY / f"base{number}", image)
    words = (WORK / "disk", "record", MACHINE / "record", *images, MEMORY / "trace")
    disk = subprocess.Popen([str(word) for word in words])
    while not (MACHINE / "record/mark").exists():
        time.sleep(0.02)
    mount([MACHINE / "record/0", MACHINE / "record/1"])
    yield
    unmount()
    unmount(["record"])
    disk.wait()


def listing():
    return run(WORK / "disk", "list", MEMORY / "trace", stdout=subprocess.PIPE, text=True).stdout.splitlines()


def record(system, disturb=None):
    """Deliver mail on new disks; its trace is in MEMORY."""
    with recording(system):
        deliver(disturb)
    lines = listing()
    accepted = [line for line in lines if line.startswith("M accepted")]
    if len(accepted) != MESSAGES:
        raise SystemExit(f"power-cut: {len(accepted)} of {MESSAGES} messages were accepted")
    return lines


def deliver(disturb):
    (MACHINE / "scanner-is-there").unlink(missing_ok=True)
    numbers, half, early = [str(number) for number in range(MESSAGES)], MESSAGES // 2, MESSAGES // 4
    # Some while nobody delivers, then one after the other, then three at once.
    run(*inside("/inject", *numbers[:early]))
    service = Service(WORK / "log")
    if disturb:
        disturb()
    time.sleep(0.3)
    run(*inside("/inject", *numbers[early:half]))
    injectors = [subprocess.Popen(inside("/inject", *numbers[half + part::3])) for part in range(3)]
    for injector in injectors:
        injector.wait()
    service.signal(signal.SIGALRM)
    time.sleep(0.5)
    (HOME / "slow/go").touch()
    (MACHINE / "scanner-is-there").touch()
    if not service.run_until_empty(30):
        raise SystemExit(f"power-cut: the undisturbed run does not end; see {WORK}/log")
    service.stop()


def cut(number, point, seed, out):
    """Make what is left of a disk; in words what that is, of what was not flushed."""
    return run(WORK / "disk", "cut", MEMORY / "trace", number, MEMORY / f"base{number}", point, seed and seed + number, out,
               stdout=subprocess.PIPE, text=True).stdout


def has_mounted(images, system):
    """Mount what is left; what no kernel mounts, as an ext4 whose superblock is torn, is checked first, as at boot."""
    for is_checked in (system == "ext4 without a journal", True):
        if is_checked and system.startswith("ext4"):
            for image in images:
                subprocess.run(["e2fsck", "-fy", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.CalledProcessError):
            mount(images)
            return True
        unmount()
    return False


def look(lines, point, seed, system, seconds):
    """What is wrong after a power cut at a point, and how many copies there are too many."""
    cuts = [MEMORY / f"cut{PART}.0", MEMORY / f"cut{PART}.1"]
    for number, image in enumerate(cuts):
        cut(number, point, seed, image)
    if not has_mounted(cuts, system):
        return [f"the {system} cannot be mounted"], 0
    (HOME / "slow/go").touch()
    (MACHINE / "scanner-is-there").touch()
    fix = subprocess.run(inside("queue-fix", "/var/spool/qhpsi/queue1"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    service = Service(WORK / f"log.cut{PART}")
    is_empty = service.run_until_empty(seconds)
    service.stop()
    copies, notices, wrong = found(MACHINE / "home")
    if fix.returncode:
        wrong.append(fix.stderr.strip())
    left = [str(name.relative_to(QUEUE)) for part in ("hold", "todo", "info", "local", "remote", "bounce", "mess")
            for name in (QUEUE / part).rglob("*") if name.is_file()]
    if not is_empty:
        wrong.append(f"the queue does not become empty: {left}")
    for number in points.accepted(lines, point):
        for name in recipients(number):
            if name == "nobody":
                if not notices[number]:
                    wrong.append(f"message {number} was accepted and joe has no notice")
            elif not copies[number, name]:
                wrong.append(f"message {number} was accepted and {name} has it not")
    unmount()
    # This is the first process of its namespace, whom others leave their children to.
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return wrong, sum(count - 1 for count in (*copies.values(), *notices.values()) if count > 1)


def different(lines, cuts):
    """Without the cuts that leave the same as one before."""
    def left(chosen):
        point, seed = chosen
        return len(points.accepted(lines, point)), *(cut(disk, point, seed, "-") for disk in (0, 1))

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list({what: chosen for what, chosen in zip(pool.map(left, cuts), cuts)}.values())


def try_cuts(lines, cuts, system):
    """How many cuts were bad, and how many copies there were too many."""
    bad = repeated = 0
    for tried, (point, seed) in enumerate(cuts):
        if tried and tried % 250 == 0:
            print(f"power-cut: {system}: {tried} of {len(cuts)} cuts in process {PART}", flush=True)
        wrong, more = look(lines, point, seed, system, 60)
        repeated += more
        if wrong:
            bad += 1
            print(f"power-cut: {system}: cut at {point} of {len(lines)}, seed {seed}: " + "; ".join(wrong[:4]), flush=True)
    return bad, repeated


def try_all(system):
    """Record a trace and cut it, several cuts at once, each process of these with mounts and processes of its own."""
    lines = record(system)
    print(f"power-cut: {system}: {MESSAGES} messages, {lines.count('W')} writes, {lines.count('F')} flushes", flush=True)
    every = points.every(lines)
    chosen = points.some(every, CUTS, SEED)
    cuts = different(lines, chosen)
    (MEMORY / "cuts").write_text(json.dumps(cuts))
    # btrfs takes all that have one number for one.
    count = 1 if system == "btrfs" else JOBS
    jobs = [subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", sys.argv[0],
                              *map(str, (WORK, MACHINE, "part", system, number, count))]) for number in range(count)]
    if any([job.wait() for job in jobs]):
        raise SystemExit("power-cut: not all cuts could be tried")
    results = [json.loads((MEMORY / f"result.{number}").read_text()) for number in range(count)]
    bad, repeated = map(sum, zip(*results))
    print(f"power-cut: {system}: {len(chosen)} cuts of {len(every)}, which leave {len(cuts)} different disks, "
          f"{bad} with mail lost, half or wrong, {repeated} second copies", flush=True)
    return bad


def try_part(system, number, jobs):
    """The same for each so many cuts."""
    global PART
    PART = number
    cuts = json.loads((MEMORY / "cuts").read_text())
    result = try_cuts(listing(), cuts[number::jobs], system)
    (MEMORY / f"result.{number}").write_text(json.dumps(result))


def try_hardest(disturb=None):
    """Whether something is wrong at one of the points where a missing sync shows."""
    lines = record("ext4", disturb)
    for tried, (point, seed) in enumerate(points.hardest(lines, 40)):
        wrong, _ = look(lines, point, seed, "ext4", 5)
        if wrong:
            print(f"power-cut: ext4: cut {tried + 1}, at {point} of {len(lines)}: " + "; ".join(wrong[:4]), flush=True)
            return True  # Once seen is enough.
    return False


def try_order(order, is_kept):
    """Whether it is seen that an order is not kept; or, when it is kept, that nothing is wrong with what is left then."""
    removed, skip = ((), ()) if is_kept else (order.removed, order.skip)
    (MACHINE / "scanner-is-there").touch()
    if any(map(is_held, order.messages)):
        (MACHINE / "scanner-is-there").unlink()
    action = f"cd {MACHINE}; "
    action += "".join(f"rm -f disk0/{name}; " for name in removed)
    action += "".join(f"touch {name}; " for name in order.synced if "*" not in name)
    action += "".join(f"sync {name} && " for name in order.synced) + "echo window >record/mark"
    rules = [word for rule in skip for word in ("skip", *rule.split())] + ["at", *order.at.split(), action]
    with recording(order.system):
        service = Service(WORK / "log", *order.messages, under=(WORK / "until", *rules))
        end = time.monotonic() + 90
        while service.process.poll() is None and time.monotonic() < end:
            if list((MACHINE / "disk0/queue1/hold").glob("*/*")):
                (MACHINE / "scanner-is-there").touch()
            service.signal(signal.SIGALRM)
            time.sleep(0.1)
        service.process.kill()
        service.process.wait()
    lines = listing()
    if "M window" not in lines:
        print(f"power-cut: {order.name}: it never comes to {order.at}; see {WORK}/log", flush=True)
        return False
    wrong, more = look(lines, lines.index("M window") + 1, 0, order.system, 5)
    if order.is_twice and more:
        wrong.append(f"{more} second copies")
    is_good = bool(wrong) != is_kept
    print(f"power-cut: {order.system}: {order.name}: {'kept' if is_kept else 'undone'}: {'' if is_good else 'NOT '}"
          f"{'well' if is_kept else 'seen'}{': ' if wrong else ''}{'; '.join(wrong[:2])}", flush=True)
    return is_good


def is_missed(program, call):
    """Whether it is seen that calls of a program do nothing."""
    if program == "qmail-send":
        return try_hardest(lambda: attach(call))
    with without(MACHINE / "usr/sbin" / program, call):
        return try_hardest()


def main():
    if sys.argv[3] == "part":
        return try_part(sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))
    # It ends with the namespace.
    MEMORY.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", MEMORY)
    make_machine()
    failed = 0
    print(f"power-cut: SEED={SEED}", flush=True)
    for word in sys.argv[3:]:
        if word in ("orders", "kept"):
            chosen = points.some(orders.ORDERS, os.environ.get("ORDERS", "all"), SEED)
            bad = sum([not try_order(order, word == "kept") for order in chosen])
            print(f"power-cut: {word}: {len(chosen)} of {len(orders.ORDERS)} orders, {bad} not as they must be", flush=True)
            failed += bad
            continue
        if word != "without":
            failed += try_all(word) > 0
            continue
        for program, call in WITHOUT:
            if is_missed(program, call):
                print(f"power-cut: without {call} of {program}: seen", flush=True)
            else:
                print(f"power-cut: without {call} of {program}: not seen", flush=True)
                failed += 1
    sys.exit(failed > 0)


main()
