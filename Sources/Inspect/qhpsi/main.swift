import Posix
import ScanHost

Process.exit(QhpsiProgram.run())
