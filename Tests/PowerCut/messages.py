"""The messages of a recording, and what must be in the Maildirs in the end; see Tests/PowerCut/run."""

import collections
import os
import re

MESSAGES = 24
USERS = {"ann": 70001, "bob": 70002, "joe": 70003, "slow": 70004, "keeper": 70005}
# What each fourth message does; the sender is always joe.
KINDS = [["ann"], ["ann", "bob", "nobody"], ["nobody"], ["slow"]]


def is_held(number):
    """Whether it waits for a scan at first."""
    return number % 5 == 0


def is_infected(number):
    """Whether it is forwarded to the keeper of such mail, and must reach nobody else."""
    return number in (3, 10, 17)


def meant(number):
    """Whom the envelope names; that of the number after the last one is for the orders."""
    return KINDS[number % len(KINDS)] if number < MESSAGES else ["slow", "nobody"]


def recipients(number):
    """Who is to have it."""
    return ["keeper"] if is_infected(number) else meant(number)


def body(number):
    lines = [f"line {line} of message {number}" for line in range(20 + number * 37 % 400)]
    return "\n".join(lines) + f"\nend of message {number}\n"


def write(machine):
    """The messages and their scanners, and the scripts that queue them, in a machine."""
    messages = machine / "messages"
    messages.mkdir()
    for number in range(MESSAGES + 1):
        mark = "X-Test: infected\n" if is_infected(number) else ""
        (messages / f"{number}.text").write_text(f"Subject: message {number}\n{mark}\n" + body(number))
        envelope = "Fjoe@test.example\0" + "".join(f"T{name}@test.example\0" for name in meant(number)) + "\0"
        (messages / f"{number}.envelope").write_bytes(envelope.encode())
    (machine / "inject").write_text(
        "#!/bin/sh\n"
        "# Queue messages; what is accepted is told to the disk.\n"
        "for number; do\n"
        "    unset QHPSI\n"
        "    export QHPSIONERROR=hold VIRUSFORWARD=keeper@test.example\n"
        "    case $number in *[05]) export QHPSI='/scanner %s';; 3|17) export QHPSI='/finder %s';; esac\n"
        "    if qmail-queue </messages/$number.text 1</messages/$number.envelope 2>/dev/null; then\n"
        "        echo accepted $number >/record/mark\n"
        "    fi\n"
        "done\n"
    )
    (machine / "finder").write_text(
        "#!/bin/sh\n"
        "grep -q '^X-Test: infected' \"$1\" || exit 0\n"
        "echo \"$1: Test.Infected FOUND\"\n"
        "exit 1\n")
    (machine / "scanner").write_text("#!/bin/sh\ntest -e /scanner-is-there || exit 9\nexec /finder \"$1\"\n")
    (machine / "serve").write_text(
        "#!/bin/sh\n"
        "/inject \"$@\"\n"
        "exec env - PATH=/usr/sbin:/usr/bin:/sbin:/bin qmail-start ./Maildir/\n")
    (machine / "etc/qhpsi/defaultqueue/QHPSI").write_text("/scanner %s\n")
    for name in ("inject", "scanner", "finder", "serve"):
        os.chmod(machine / name, 0o755)


def found(homes):
    """What is in the Maildirs: how often each message is where, the notices, and what is wrong."""
    copies, notices, wrong = collections.Counter(), collections.Counter(), []
    for name in USERS:
        for path in sorted((homes / name / "Maildir/new").iterdir()):
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
            if is_infected(number):
                if not re.search(r"^X-QHPSI: virus found", head, re.M) or not re.search(r"^X-Quarantine-ID: ", head, re.M):
                    wrong.append(f"{name}: message {number}, which is infected and does not say so")
            elif is_held(number) and not re.search(r"^X-QHPSI: clean$", head, re.M):
                wrong.append(f"{name}: message {number}, which no scanner has seen")
            if rest != body(number):
                wrong.append(f"{name}: half of message {number}: {len(text)} bytes")
            elif name not in recipients(number):
                wrong.append(f"{name}: message {number}, which is not his")
            else:
                copies[number, name] += 1
    return copies, notices, wrong
