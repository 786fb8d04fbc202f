#!/usr/bin/env python3
"""Log in on port 587 under TLS and send a message to a stranger: submit.py USER PASSWORD; wrong ones fail with 535."""
import smtplib
import ssl
import sys

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
with smtplib.SMTP("127.0.0.1", 587, timeout=60) as client:
    client.starttls(context=context)
    client.login(sys.argv[1], sys.argv[2])
    client.sendmail("alice@test.example", ["b@stranger.example"], "Subject: submitted\r\n\r\nHello.\r\n")
