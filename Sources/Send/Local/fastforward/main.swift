import AliasDelivery
import CommandLine
import Posix

Process.exit(
    Program("fastforward", usage: "fastforward [ -nNpPdD ] aliases.cdb")
        .run(FastforwardProgram.run))
