import Posix
import ScanBroker

Process.exit(QhpsiProgram.run())
