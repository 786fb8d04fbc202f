#!/usr/bin/env python3
"""Send FILE to port 25 of this network namespace by SMTP, and print the replies: send.py FILE SENDER RECIPIENT."""
import socket
import sys

path, sender, recipient = sys.argv[1:4]
body = open(path, "rb").read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..")
connection = socket.create_connection(("127.0.0.1", 25), timeout=150)
replies = connection.makefile("rb")


def reply():
    while True:
        line = replies.readline()
        if not line:
            sys.exit("the server hung up")
        print(line.decode().rstrip())
        if line[3:4] == b" ":
            return line[:1]


def say(text):
    connection.sendall(text + b"\r\n")
    return reply()


reply()
say(b"EHLO client.example.org")
say(b"MAIL FROM:<" + sender.encode() + b">")
if say(b"RCPT TO:<" + recipient.encode() + b">") == b"2":
    say(b"DATA")
    say(body + b".")
say(b"QUIT")
