import CommandLine
import Posix
import RemoteDelivery

Process.exit(
    Program("qmail-tcpto", usage: "qmail-tcpto, which shows the addresses that did not answer")
        .run { TimeoutTools.list($0, .current) })
