import LocalDelivery
import Posix

Process.exit(LocalProgram.run())
