import CommandLine
import Posix
import QueueListing

Process.exit(
    Program("qmail-qstat", usage: "qmail-qstat [queue-folder ...]")
        .run(QstatProgram.run))
