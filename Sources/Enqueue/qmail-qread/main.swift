import CommandLine
import Posix
import QueueListing

Process.exit(
    Program("qmail-qread", usage: "qmail-qread [queue-folder ...]")
        .run(QreadProgram.run))
