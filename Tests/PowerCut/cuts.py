#!/usr/bin/env python3
"""Record mail on a disk, cut the power at many points, and look what became of it; see Tests/PowerCut/run."""

import collections
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

WORK, MACHINE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
MEMORY = WORK / "memory"
CUTS = int(os.environ.get("CUTS", "40"))
MESSAGES = 24
# The queue's disk, and that of the homes.
PLACES = (("disk0", "var/spool/qhpsi"), ("disk1", "home"))
HOME = MACHINE / "disk1"
QUEUE = MACHINE / "var/spool/qhpsi/queue1"
USERS = {"ann": 70001, "bob": 70002, "joe": 70003, "slow": 70004}
# What each fourth message does; the sender is always joe.
KINDS = [["ann"], ["ann", "bob", "nobody"], ["nobody"], ["slow"]]
MAKE = {
    "ext4": (64, ["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0"]),
    "xfs": (320, ["mkfs.xfs", "-q", "-f"]),
    "btrfs": (256, ["mkfs.btrfs", "-q", "-f"]),
}
# What is left out, by strace(1): calls of a program. One journal keeps qmail-send's names in order as well, so that only its
# files' bytes can be missed.
WITHOUT = [
    ("qmail-queue", "fsync"),
    ("qmail-local", "fsync"),
    ("qmail-send", "fsync,sync_file_range"),
]


def run(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, **options)


def inside(*words):
    return ["tools/in-root", str(MACHINE), *words]


def recipients(number):
    return KINDS[number % len(KINDS)]


def is_held(number):
    """Whether it waits for a scan at first."""
    return number % 5 == 0


def body(number):
    lines = [f"line {line} of message {number}" for line in range(20 + number * 37 % 400)]
    return "\n".join(lines) + f"\nend of message {number}\n"


def make_machine():
    run("tools/set-id-root", MACHINE, 0)
    # All users are known to the machine; their homes are on the disk.
    with open(MACHINE / "etc/passwd", "a") as passwd:
        for name, number in USERS.items():
            passwd.write(f"{name}:x:{number}:{number}::/home/{name}:/bin/sh\n")
    run("install", "-d", "-o", 64010, MACHINE / "var/qmail/alias")
    (MACHINE / "etc/qhpsi/control/locals").write_text("test.example\n")
    messages = MACHINE / "messages"
    messages.mkdir()
    for number in range(MESSAGES):
        (messages / f"{number}.text").write_text(f"Subject: message {number}\n\n" + body(number))
        envelope = "Fjoe@test.example\0" + "".join(f"T{name}@test.example\0" for name in recipients(number)) + "\0"
        (messages / f"{number}.envelope").write_bytes(envelope.encode())
    (MACHINE / "inject").write_text(
        "#!/bin/sh\n"
        "# Queue messages; what is accepted is told to the disk.\n"
        "for number; do\n"
        "    unset QHPSI\n"
        "    case $number in *[05]) export QHPSI='/scanner %s' QHPSIONERROR=hold;; esac\n"
        "    if qmail-queue </messages/$number.text 1</messages/$number.envelope 2>/dev/null; then\n"
        "        echo accepted $number >/record/mark\n"
        "    fi\n"
        "done\n"
    )
    (MACHINE / "scanner").write_text("#!/bin/sh\ntest -e /scanner-is-there || exit 9\n")
    (MACHINE / "etc/qhpsi/defaultqueue/QHPSI").write_text("/scanner %s\n")
    for name in ("inject", "scanner"):
        os.chmod(MACHINE / name, 0o755)
    for name in ("disk0", "disk1", "record"):
        (MACHINE / name).mkdir()


def mount(images):
    for image, (name, place) in zip(images, PLACES):
        run("mount", "-o", "loop", image, MACHINE / name)
        run("mount", "--bind", MACHINE / name, MACHINE / place)


def unmount():
    for place in [name for places in PLACES for name in reversed(places)]:
        if not os.path.ismount(MACHINE / place):
            continue
        for _ in range(100):
            if subprocess.run(["umount", MACHINE / place], stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"power-cut: unable to unmount {place}")


class Service:
    """qmail-start in the machine, with a log."""

    def __init__(self, log):
        self.log = open(log, "wb")
        self.process = subprocess.Popen(
            inside("env", "-", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "qmail-start", "./Maildir/"),
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
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            self.signal(signal.SIGTERM)
            time.sleep(0.1)
        if self.process.poll() is None:
            raise SystemExit("power-cut: qmail-start does not end")
        self.log.close()


def record(system, disturb=None):
    """Deliver mail on new disks; its trace is in MEMORY."""
    size, make = MAKE[system]
    images, trace = [MEMORY / "image0", MEMORY / "image1"], MEMORY / "trace"
    for image in images:
        with open(image, "wb") as file:
            file.truncate(size << 20)
        run(*make, image, stdout=subprocess.DEVNULL)
    mount(images)
    run(*inside("queue-fix", "-s", "3", "/var/spool/qhpsi/queue1"), stdout=subprocess.DEVNULL)
    for name, number in USERS.items():
        for part in ("", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
            run("install", "-d", "-m", "700", "-o", number, "-g", number, HOME / name / part)
    (HOME / "slow/.qmail").write_text("|test -e /home/slow/go || exit 111\n./Maildir/\n")
    unmount()
    for number, image in enumerate(images):
        run("cp", "--sparse=always", image, MEMORY / f"base{number}")
    disk = subprocess.Popen([str(word) for word in (WORK / "disk", "record", MACHINE / "record", *images, trace)])
    while not (MACHINE / "record/mark").exists():
        time.sleep(0.05)
    mount([MACHINE / "record/0", MACHINE / "record/1"])
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
    unmount()
    run("umount", MACHINE / "record")
    disk.wait()
    listing = run(WORK / "disk", "list", trace, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    accepted = [line for line in listing if line.startswith("M accepted")]
    if len(accepted) != MESSAGES:
        raise SystemExit(f"power-cut: {len(accepted)} of {MESSAGES} messages were accepted")
    return listing


def points(listing, count):
    """Where to cut: right after promises, right before flushes, right after them, and in between."""
    flushes = [number for number, line in enumerate(listing) if line == "F"]
    chosen = random.Random(1)
    every = [point for flush in flushes for point in (flush, flush + 1)]
    every += [chosen.randrange(1, len(listing)) for _ in flushes]
    marks = [number + 1 for number, line in enumerate(listing) if line.startswith("M")]
    every += marks
    chosen.shuffle(every)
    return sorted(every[:count])


def found():
    """What is in the Maildirs: how often each message is where, the notices, and what is wrong."""
    copies, notices, wrong = collections.Counter(), collections.Counter(), []
    for name in USERS:
        for path in sorted((MACHINE / "home" / name / "Maildir/new").iterdir()):
            text = path.read_bytes().decode("latin-1")
            head, _, rest = text.partition("\n\n")
            notice = re.search(r"^Subject: failure notice$", head, re.M)
            if notice:
                about = re.findall(r"^Subject: message (\d+)$", rest, re.M)
                if name != "joe" or len(about) != 1 or "nobody@test.example" not in rest:
                    wrong.append(f"{name}: a notice that is none: {len(text)} bytes")
                else:
                    notices[int(about[0])] += 1
                continue
            subject = re.search(r"^Subject: message (\d+)$", head, re.M)
            if not subject or len(re.findall(r"^X-QHPSI: ", head, re.M)) != 1:
                wrong.append(f"{name}: a file of {len(text)} bytes that is no message")
                continue
            number = int(subject.group(1))
            if is_held(number) and not re.search(r"^X-QHPSI: clean$", head, re.M):
                wrong.append(f"{name}: message {number}, which no scanner has seen")
            if rest != body(number):
                wrong.append(f"{name}: half of message {number}: {len(text)} bytes")
            elif name not in recipients(number):
                wrong.append(f"{name}: message {number}, which is not his")
            else:
                copies[number, name] += 1
    return copies, notices, wrong


def look(listing, point, seed, system, seconds):
    """What is wrong after a power cut at a point, and how many copies there are too many."""
    accepted = [int(line.split()[2]) for line in listing[:point] if line.startswith("M accepted")]
    cuts = [MEMORY / "cut0", MEMORY / "cut1"]
    for number, cut in enumerate(cuts):
        run(WORK / "disk", "cut", MEMORY / "trace", number, MEMORY / f"base{number}", point, seed and seed + number, cut)
    try:
        mount(cuts)
    except subprocess.CalledProcessError:
        unmount()
        return [f"the {system} cannot be mounted"], 0
    (HOME / "slow/go").touch()
    run(*inside("queue-fix", "/var/spool/qhpsi/queue1"), stdout=subprocess.DEVNULL)
    service = Service(WORK / "log.cut")
    is_empty = service.run_until_empty(seconds)
    service.stop()
    copies, notices, wrong = found()
    left = [str(name.relative_to(QUEUE)) for part in ("hold", "todo", "info", "local", "remote", "bounce", "mess")
            for name in (QUEUE / part).rglob("*") if name.is_file()]
    if not is_empty:
        wrong.append(f"the queue does not become empty: {left}")
    for number in accepted:
        for name in recipients(number):
            if name == "nobody":
                if not notices[number]:
                    wrong.append(f"message {number} was accepted and joe has no notice")
            elif not copies[number, name]:
                wrong.append(f"message {number} was accepted and {name} has it not")
    unmount()
    return wrong, sum(count - 1 for count in (*copies.values(), *notices.values()) if count > 1)


def hardest(listing, count):
    """Where a missing sync shows: right after promises, then as long after them as may be."""
    marks = [number + 1 for number, line in enumerate(listing) if line.startswith("M")]
    chosen = random.Random(1)
    rest = [chosen.randrange(marks[-1], len(listing)) for _ in range(count)]
    return sorted(marks[:count // 2] + rest[:count - count // 2])


def try_all(system, count, disturb=None, is_hard=False):
    listing = record(system, disturb)
    flushes = sum(line == "F" for line in listing)
    print(f"power-cut: {system}: {MESSAGES} messages, {sum(line == 'W' for line in listing)} writes, {flushes} flushes",
          flush=True)
    bad = repeated = 0
    chosen = hardest(listing, count) if is_hard else points(listing, count)
    for number, point in enumerate(chosen):
        wrong, more = look(listing, point, 0 if is_hard else number + 1, system, 5 if is_hard else 20)
        repeated += more
        if wrong:
            bad += 1
            seed = 0 if is_hard else number + 1
            print(f"power-cut: {system}: cut at {point} of {len(listing)}, seed {seed}: " + "; ".join(wrong[:4]),
                  flush=True)
            if is_hard:
                break  # Once seen is enough.
    print(f"power-cut: {system}: {number + 1} cuts, {bad} with mail lost, half or wrong, {repeated} second copies",
          flush=True)
    return bad


def attach(call):
    """Let calls of qmail-send's fork do nothing."""
    for _ in range(100):
        for entry in pathlib.Path("/proc").iterdir():
            try:
                name = os.readlink(entry / "exe")
                parent = re.search(r"^PPid:\s+(\d+)", (entry / "status").read_text(), re.M).group(1)
                if name.endswith("/qmail-send") and os.readlink(f"/proc/{parent}/exe") == name:
                    subprocess.Popen(["strace", "-q", "-o", "/dev/null", "-e", f"trace={call}",
                                      "-e", f"inject={call}:retval=0", "-p", entry.name])
                    time.sleep(0.5)
                    return
            except (OSError, AttributeError):
                continue
        time.sleep(0.1)
    raise SystemExit("power-cut: qmail-send has no fork")


def without(program, call):
    """The same with calls of a program that do nothing and say that they did."""
    if program == "qmail-send":
        return try_all("ext4", CUTS, lambda: attach(call), is_hard=True)
    path = MACHINE / "usr/sbin" / program
    real = path.with_name(program + ".real")
    path.rename(real)
    path.write_text(
        f"#!/bin/sh\n"
        # A set-id program that somebody else traces has no rights.
        f"[ ! -u /usr/sbin/{program}.real ] || [ $(id -u) = 0 ] || exec /usr/sbin/{program}.real \"$@\"\n"
        f"exec /usr/bin/strace -f -o /dev/null -e trace={call} "
        f"-e inject={call}:retval=0 /usr/sbin/{program}.real \"$@\"\n")
    path.chmod(0o755)
    try:
        return try_all("ext4", CUTS, is_hard=True)
    finally:
        path.unlink()
        real.rename(path)


def main():
    # It ends with the namespace.
    MEMORY.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", MEMORY)
    make_machine()
    failed = 0
    for word in sys.argv[3:]:
        if word != "without":
            failed += try_all(word, CUTS) > 0
            continue
        for program, call in WITHOUT:
            if without(program, call):
                print(f"power-cut: without {call} of {program}: seen", flush=True)
            else:
                print(f"power-cut: without {call} of {program}: not seen", flush=True)
                failed += 1
    sys.exit(failed > 0)


main()
