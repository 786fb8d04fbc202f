import CommandLine
import Injection
import Posix

Process.exit(
    Program("qmail-inject", usage: "qmail-inject [-aAhHnN] [-f sender] [recipient ...]")
        .run(InjectProgram.run))
