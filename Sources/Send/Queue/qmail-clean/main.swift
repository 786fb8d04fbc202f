import Cleaner
import CommandLine
import Posix

Process.exit(
    Program("qmail-clean", usage: "qmail-clean, by qmail-start")
        .run { _ in CleanProgram.run() })
