#!/usr/bin/env python3
"""Send mail to port 25 until told to stop: load.py SENDERS FILE, which gets a line for each message that got 250.

A sender whose server goes away tries again, as senders do; SIGTERM ends it.
"""
import os
import signal
import socket
import sys
import threading

stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())
run = os.path.basename(sys.argv[2])
accepted = open(sys.argv[2], "w", buffering=1)


def session(number, count):
    with socket.create_connection(("127.0.0.1", 25), timeout=60) as connection:
        replies = connection.makefile("rb")

        def say(text, wanted):
            if text:
                connection.sendall(text)
            line = replies.readline()
            while line[3:4] == b"-":
                line = replies.readline()
            if not line.startswith(wanted):
                raise OSError(line)

        say(b"", b"220")
        say(b"EHLO client\r\n", b"250")
        while not stopping.is_set():
            count[0] += 1
            name = f"load-{run}-{number}-{count[0]}@client.example"
            say(b"MAIL FROM:<a@client.example>\r\n", b"250")
            say(b"RCPT TO:<postmaster@test.example>\r\n", b"250")
            say(b"DATA\r\n", b"354")
            say(f"Message-ID: <{name}>\r\nSubject: load\r\n\r\n{'x' * 70}\r\n.\r\n".encode(), b"250")
            accepted.write(name + "\n")


def sender(number):
    count = [0]
    while not stopping.is_set():
        try:
            session(number, count)
        except OSError:
            stopping.wait(0.2)


threads = [threading.Thread(target=sender, args=(n,), daemon=True) for n in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
stopping.wait()
for thread in threads:
    thread.join(5)
