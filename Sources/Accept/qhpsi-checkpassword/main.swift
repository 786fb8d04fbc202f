import Checkpassword
import CommandLine
import Posix

Process.exit(
    Program(
        "qhpsi-checkpassword",
        usage: "qhpsi-checkpassword [-n] program [argument ...], see qhpsi-checkpassword(8)"
    )
    .run { _ in CheckpasswordProgram.run(Process.arguments, .current) })
