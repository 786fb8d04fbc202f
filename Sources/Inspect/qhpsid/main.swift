import Posix
import ScanBroker

Process.exit(BrokerStart.run(Process.arguments, .current).rawValue)
