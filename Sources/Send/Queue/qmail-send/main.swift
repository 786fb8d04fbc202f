import CommandLine
import Posix
import Sender

Process.exit(
    Program("qmail-send", usage: "qmail-send, by qmail-start")
        .run { _ in SendProgram.run() })
