import CommandLine
import Posix
import QueueStore

Process.exit(
    Program("queue-fix", usage: "queue-fix [-N] [-v] [-s split] queue-folder")
        .run(QueueFixProgram.run))
