import CommandLine
import LocalSpawner
import Posix

Process.exit(
    Program("qmail-lspawn", usage: "qmail-lspawn defaultdelivery")
        .run(LspawnProgram.run))
