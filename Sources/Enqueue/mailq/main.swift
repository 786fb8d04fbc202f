import CommandLine
import Posix
import QueueListing

Process.exit(
    Program("mailq", usage: "mailq [queue-folder ...]")
        .run(MailqProgram.run))
