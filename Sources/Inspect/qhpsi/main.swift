import CommandLine
import Posix
import ScanBroker

Process.exit(
    Program("qhpsi", usage: "qhpsi path <message")
        .run { _ in QhpsiProgram.run() })
