import CommandLine
import Posix
import SendStart

Process.exit(
    Program("qmail-start", usage: "qmail-start [default-delivery [logger [argument ...]]]")
        .run(StartProgram.run))
