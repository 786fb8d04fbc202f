import CommandLine
import Posix
import TLSStream

Process.exit(
    Program("qmail-smtpd-tls", usage: "qmail-smtpd-tls [checkpassword program [argument ...]]")
        .run { TLSServer.run($0, Process.arguments, .current) })
