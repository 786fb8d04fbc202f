import CommandLine
import Posix
import SMTPSession

Process.exit(
    Program("qmail-smtpd", usage: "qmail-smtpd [checkpassword program [argument ...]]")
        .run { SMTPServer.run($0, Process.arguments, .current) })
