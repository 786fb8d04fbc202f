import FilterDelivery
import Posix

Process.exit(VfilterProgram.run())
