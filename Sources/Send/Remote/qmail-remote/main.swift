import CommandLine
import MailRoutes
import Posix

Process.exit(
    Program("qmail-remote", usage: "qmail-remote host sender recipient ... <message")
        .run { _ in RemoteProgram.run(Process.arguments, .current) })
