"""What the crash tables say comes before something else, and how each of these is undone once; see Tests/PowerCut/run.

An order "A before B" is undone by until.c: A is left out, and right after B, whose disk is synced at once, the power fails.
So what is left has B and not A.
"""

import collections

# Name; messages that are queued; what is left out; after which call the power fails; the files that are synced then, in the
# first disk or the second; names that are removed before that; whether a second copy is what must be seen; the file system.
Order = collections.namedtuple(
    "Order", "name messages skip at synced removed is_twice system", defaults=((), False, "ext4"))

# Messages: one with a recipient, one with three of whom one does not exist, the same held, one that is held and infected, and
# one with a recipient who waits and one who does not exist.
ONE, THREE, HELD, HELD_INFECTED, WAITING = 4, 1, 5, 10, 24

# A new file: with it the journal brings all names, and no bytes but those that are written out.
NAMES, HOMES = "disk0/synced", "disk1/synced"

QUEUE, AGAIN = "qmail-queue", "qmail-send/qmail-queue"
PROMISE = "dash write */mark"

ORDERS = [
    Order("a message's bytes before its name", [ONE],
          [f"{QUEUE} write-out */mess/*"], f"{QUEUE} link *todo/*", [NAMES]),
    Order("an envelope's bytes before its name", [ONE],
          [f"{QUEUE} write-out */intd/*"], f"{QUEUE} link *todo/*", [NAMES]),
    Order("mess/ before todo/", [ONE],
          [f"{QUEUE} link *mess/*"], f"{QUEUE} link *todo/*", [NAMES]),
    Order("both on the disk before qmail-queue says so", [ONE],
          [f"{QUEUE} fsync */queue1/*"], PROMISE, []),
    Order("a held message's verdict on the disk before todo/", [HELD],
          [f"{AGAIN} fsync */mess/*"], f"{AGAIN} rename *todo/*", [NAMES]),
    Order("the copy of a held message before that leaves hold/", [HELD_INFECTED],
          [f"{AGAIN} link *todo/*"], f"{AGAIN} unlink *hold/*", [NAMES]),
    Order("hold/ leaves before mess/", [HELD_INFECTED],
          [f"{AGAIN} unlink *hold/*"], f"{AGAIN} unlink *mess/*", [NAMES]),
    Order("recipients' bytes before info/", [THREE],
          ["qmail-send write-out */local/*"], "qmail-send rename *info/*", [NAMES]),
    Order("local/ before info/", [THREE],
          [], "qmail-send rename *info/*", [NAMES], ["queue1/local/*/*"]),
    Order("info/ before todo/ leaves", [THREE],
          ["qmail-send rename *info/*"], "qmail-clean unlink *todo/*", [NAMES]),
    Order("info/ on the disk before todo/ leaves", [THREE],
          ["qmail-send write-out */queue1/*", "qmail-send fsync */queue1/*"], "qmail-clean unlink *todo/*", [NAMES]),
    Order("bounce/ on the disk before a recipient's mark", [WAITING],
          ["qmail-send fsync */bounce/*"], "qmail-send pwrite */local/*", ["disk0/queue1/local/*/*"]),
    Order("a notice before the marks in bounce/", [WAITING],
          [f"{AGAIN} link *todo/*"], "qmail-send pwrite */bounce/*",
          ["disk0/queue1/local/*/*", "disk0/queue1/bounce/*"]),
    Order("a notice before bounce/ leaves", [THREE],
          [f"{AGAIN} link *todo/*"], "qmail-send unlink *bounce/*", [NAMES]),
    Order("bounce/ leaves before info/", [THREE],
          ["qmail-send unlink *bounce/*"], "qmail-send unlink *info/*", [NAMES]),
    Order("todo/ leaves before info/", [THREE],
          ["qmail-clean unlink *todo/*"], "qmail-send unlink *info/*", [NAMES, HOMES], (), True),
    Order("todo/ leaves before mess/", [ONE],
          ["qmail-clean unlink *todo/*"], "qmail-clean unlink *mess/*", [NAMES]),
    Order("a mail's bytes before its name in new/", [ONE],
          ["qmail-local write-out */tmp/*"], "qmail-local rename *new/*", [HOMES]),
    Order("a mail on the disk before todo/ leaves", [ONE],
          ["qmail-local fsync */new/*"], "qmail-clean unlink *todo/*", [NAMES]),
] + [
    # Where there is no journal for all names each file and each folder is synced in turn. A folder cannot be missed where a file in
    # it is synced after it has its name: ext4, as btrfs, brings a new name with the file.
    Order(f"{what} on the disk before qmail-queue says so", [ONE],
          [f"{QUEUE} fsync */{pattern}"], PROMISE, [], system="ext4 without a journal")
    for what, pattern in (("a message", "mess/#*"), ("an envelope", "intd/#*"))
] + [
    Order(f"{what} on the disk before todo/ leaves", [ONE if program == "qmail-local" else THREE],
          [f"{program} fsync */{pattern}"], "qmail-clean unlink *todo/*", ["disk0/queue1/todo/*"], system="ext4 without a journal")
    for program, what, pattern in (
        ("qmail-send", "recipients", "local/?*/*"),
        ("qmail-send", "information", "info/?*/*"), ("qmail-send", "the folder in info/", "info/[0-9]"),
        ("qmail-local", "a mail", "tmp/*"), ("qmail-local", "the folder new/", "new"))
]
