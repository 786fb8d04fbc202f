import CommandLine
import Posix
import ScanBroker

Process.exit(
    Program("qhpsid", usage: "qhpsid")
        .run { _ in BrokerStart.run(Process.arguments, .current).rawValue })
