import CommandLine
import Posix
import QueueStore

Process.exit(
    Program("qmail-queue", usage: "qmail-queue <message 1<envelope, or qmail-queue -h queue id")
        .run { _ in QueueProgram.run() })
