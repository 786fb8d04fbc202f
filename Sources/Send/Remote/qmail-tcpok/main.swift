import CommandLine
import Posix
import RemoteDelivery

Process.exit(
    Program("qmail-tcpok", usage: "qmail-tcpok, which lets all addresses be tried again")
        .run { TimeoutTools.forget($0, .current) })
