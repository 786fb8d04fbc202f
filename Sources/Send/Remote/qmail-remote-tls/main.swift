import CommandLine
import Posix
import RemoteTLS

Process.exit(
    Program("qmail-remote-tls", usage: "qmail-remote-tls, by qmail-remote")
        .run { _ in RemoteTLSProgram.run(Process.arguments, .current) })
