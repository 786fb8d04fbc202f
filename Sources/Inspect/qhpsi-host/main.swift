import CommandLine
import HostStart
import Posix

let usage: StaticString =
    "qhpsi-host plugin milliseconds path plugin ... | command program [argument ...]"
Process.exit(
    Program("qhpsi-host", usage: usage).run { _ in
        HostProgram.run(Process.arguments, .current).rawValue
    })
